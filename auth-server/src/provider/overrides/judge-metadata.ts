/**
 * Owns the engine's own verdict on a client's metadata (RFC 7591 §2), asked for before anything is stored. It uses the
 * constructor of `provider.Client` of oidc-provider 9.13.3, which is not public.
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
