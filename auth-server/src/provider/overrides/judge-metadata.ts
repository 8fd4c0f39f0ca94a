/**
 * Owns the use of the engine's own validation of client metadata (RFC 7591 §2): the validation itself, which runs before anything is
 * stored, and the check before it whether the client needs a secret. It uses the constructor and `needsSecret` of `provider.Client`
 * of oidc-provider 9.13.3, which are not public.
 */
import type Provider from 'oidc-provider';
import type { ClientMetadata } from 'oidc-provider';

/** @throws InvalidClientMetadata of oidc-provider, with the problem */
export function judgeMetadata(provider: Provider, metadata: object, kind?: { readonly cimd: true }): void {
  // The types of oidc-provider do not allow others to construct a client.
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

/** The check runs before the policy and assumes that members are strings: other members are hidden from it and refused later. */
export function askOfTexts(provider: Provider): void {
  const Client = provider.Client as unknown as Asking;
  const ask = Client.needsSecret;
  Client.needsSecret = (metadata) => ask.call(Client, textsOf(metadata));
}

const textsOf = (metadata: object): object =>
  Object.fromEntries(Object.entries(metadata).filter(([, value]) => typeof value === 'string'));
