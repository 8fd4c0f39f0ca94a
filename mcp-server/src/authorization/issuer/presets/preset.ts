/** Owns the type of a preset: what the tokens of a product are like, where they differ from RFC 9068. */

/** A setting that a preset gives another default, and why. */
interface Quirk {
  readonly value: string;
  readonly quirk: string;
  /** The page of the vendor that says so, if it is not the one of the preset. */
  readonly page?: string;
}

export interface Preset {
  /** The page of the vendor about its access tokens. */
  readonly page: string;
  /** By the name of the setting if there is one issuer. */
  readonly defaults: Readonly<Record<string, Quirk>>;
  /** Why this issuer can't be used, if it can't. */
  readonly flaw?: (issuer: string) => string | undefined;
  /** The issuer in the metadata and in the tokens of several tenants, with `{tenantid}` where the tenant is. */
  readonly template?: (issuer: string) => string | undefined;
  /**
   * Claims that name an organisation, if the issuer serves more than one: without a value for one of them, everybody there could get a
   * token for this server.
   */
  readonly organisation?: (issuer: string) => readonly string[];
}

/** Where the tenant is in a template, as Microsoft writes it in its metadata. */
export const TENANT = '{tenantid}';
