/**
 * Owns the rotation of refresh tokens (RFC 9700 §4.14.2) and its one successor: clients refresh twice at once, lose an answer
 * or die in the middle, and must not lose their grant for it. The id of the successor follows from the token that was
 * presented and a key of this server, so that all replicas that see the same token come to the same successor.
 */
import { createHmac } from 'node:crypto';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';

type Model = { generateTokenId(): string };

/** @param key known to all replicas, and to nobody else: who holds a spent token must not know what follows it */
export function nameSuccessors(provider: Provider, key: string, current: () => KoaContextWithOIDC | undefined): void {
  const model = provider.RefreshToken.prototype as unknown as Model;
  const random = model.generateTokenId;
  model.generateTokenId = function successor(this: Model): string {
    const rotated = current()?.oidc.entities.RotatedRefreshToken;
    if (!rotated) return random.call(this);
    return createHmac('sha256', key).update(`successor of ${rotated.jti}`).digest('base64url');
  };
}
