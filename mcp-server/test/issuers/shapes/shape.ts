/** Owns the type of a documented token: what is accepted of a product, and what must be refused. */

type Json = Readonly<Record<string, unknown>>;

interface Change {
  readonly claims?: Json;
  readonly header?: Json;
  /** Why it is refused. */
  readonly reason: string;
}

interface Shape {
  /** Path of the issuer. */
  readonly path: string;
  /** Besides ISSUER and ISSUER_PRESET. */
  readonly settings: () => Readonly<Record<string, string>>;
  /** Where `iss` is not the URL of the issuer. */
  readonly iss?: (issuer: string) => string;
  readonly metadataIssuer?: (issuer: string) => string;
  /** Besides `alg` and `kid`; `typ` absent: none. */
  readonly header: Json;
  /** Besides `iss`, `exp` and `iat`. @param server URL of this server */
  readonly claims: (server: string) => Json;
  readonly principal: { readonly subject: string; readonly client?: string; readonly scopes: readonly string[] };
  /** Tokens besides the one above that are accepted. */
  readonly others?: Readonly<
    Record<string, { readonly claims: Json; readonly header?: Json; readonly principal: Json }>
  >;
  readonly refused: Readonly<Record<string, Change>>;
}

export type Shapes = Readonly<Record<string, Shape>>;

export const SCOPES = ['mcp:tools'];
