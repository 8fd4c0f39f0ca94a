/**
 * Owns the rotation of refresh tokens (RFC 9700 §4.14.2) to exactly one successor: clients that refresh twice at once, lose an answer
 * or crash must not lose their grant. The id of the successor is derived from the presented token and a key of this server, so that
 * all replicas derive the same successor from the same token. It replaces `provider.RefreshToken.prototype.generateTokenId` of
 * oidc-provider 9.13.3.
 */
import { createHmac } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

type Model = { generateTokenId(): string };

/** @param key known to all replicas only, so that the holder of a used token cannot compute its successor */
export function nameSuccessors(provider: Provider, key: string, current: () => KoaContextWithOIDC | undefined): void {
  const model = provider.RefreshToken.prototype as unknown as Model;
  const random = model.generateTokenId;
  model.generateTokenId = function successor(this: Model): string {
    const rotated = current()?.oidc.entities.RotatedRefreshToken;
    if (!rotated) return random.call(this);
    return createHmac('sha256', key).update(`successor of ${rotated.jti}`).digest('base64url');
  };
}
