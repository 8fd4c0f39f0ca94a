/**
 * Owns the engine's own looks at a client's metadata (RFC 7591 §2): its verdict, asked for before anything is stored, and its
 * question before that whether there has to be a secret. It uses the constructor and `needsSecret` of `provider.Client` of
 * oidc-provider 9.13.3, which are not public.
 */
import type Provider from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';

/** @throws InvalidClientMetadata of oidc-provider, with what is wrong */
export function judgeMetadata(provider: Provider, metadata: object, kind?: { readonly cimd: true }): void {
  // Typed as something that only the engine makes.
  const Client = provider.Client as unknown as new (
    metadata: ClientMetadata,
    ctx: undefined,
    kind: { readonly cimd: true } | undefined,
  ) => object;
  new Client(structuredClone(metadata) as ClientMetadata, undefined, kind);
}

interface Asking {
  needsSecret(metadata: object): boolean;
}

/** The question comes before the policy, and takes for granted that members are text: what is none is refused later. */
export function askOfTexts(provider: Provider): void {
  const Client = provider.Client as unknown as Asking;
  const ask = Client.needsSecret;
  Client.needsSecret = (metadata) => ask.call(Client, textsOf(metadata));
}

const textsOf = (metadata: object): object =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
