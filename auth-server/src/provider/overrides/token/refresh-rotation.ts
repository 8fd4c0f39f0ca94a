/**
 * Owns the rotation of refresh tokens (RFC 9700 §4.14.2) to exactly one successor: clients that refresh twice at once, lose an answer
 * or crash must not lose their grant. The id of the successor is derived from the presented token and a key of this server, so that
 * all replicas derive the same successor from the same token. A device code leads to one refresh token in the same way, because a device
 * that gets no answer polls again (RFC 8628 §3.5). It replaces `provider.RefreshToken.prototype.generateTokenId` of
 * oidc-provider 9.13.3.
 */
import { createHmac } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

type Model = { generateTokenId(): string };

/** @param key known to all replicas only, so that the holder of a used token or code cannot compute its successor */
export function nameSuccessors(provider: Provider, key: string, current: () => KoaContextWithOIDC | undefined): void {
  const model = provider.RefreshToken.prototype as unknown as Model;
  const random = model.generateTokenId;
  model.generateTokenId = function successor(this: Model): string {
    const { RotatedRefreshToken: rotated, DeviceCode: code } = current()?.oidc.entities ?? {};
    const before = rotated ? rotated.jti : code && `device code ${code.jti}`;
    if (before === undefined) return random.call(this);
    return createHmac('sha256', key).update(`successor of ${before}`).digest('base64url');
  };
}
