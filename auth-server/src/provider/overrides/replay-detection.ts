/**
 * Owns that a client assertion (RFC 7523 §3) and a DPoP proof (RFC 9449 §11.1) are good once, of however many at the same
 * moment at however many replicas. The engine's own way reads first and writes then, which two can do at once.
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RecordStore } from '../../storage/record-store.ts';

const KIND = 'ReplayDetection';
/** Seconds. What has been used is remembered until it expires, so a stranger must not say when that is. */
const LONGEST_ASSERTION = 3_600;
/**
 * Seconds. The engine takes a proof that is dated ahead by 300, says that it expires as if it were made now, and takes it in the
 * second of its end as well.
 */
const DATED_AHEAD = 301;

interface Model {
  unique(issuer: string, jti: string, expiresAt: number): Promise<boolean>;
}

export function detectReplays(provider: Provider, store: RecordStore, clock: Clock): void {
  const model = provider.ReplayDetection as unknown as Model;
  model.unique = (issuer, jti, expiresAt) => {
    const id = createHash('sha256')
      .update(JSON.stringify([issuer, jti]))
      .digest('base64url');
    // Numbers of others (RFC 7519 §2 NumericDate) may have fractions; lifetimes have none.
    const left = Math.max(1, Math.ceil(expiresAt) - seconds(clock));
    return store.putIfAbsent(KIND, id, {}, { ttl: left + DATED_AHEAD });
  };
}

/** @throws InvalidClientAuth for an assertion that is good for longer than anybody needs it */
export function boundAssertions(clock: Clock) {
  return async (_ctx: KoaContextWithOIDC, { exp }: { readonly exp?: unknown }): Promise<void> => {
    if (Number(exp) - seconds(clock) <= LONGEST_ASSERTION) return;
    throw new errors.InvalidClientAuth(`the assertion must expire within ${LONGEST_ASSERTION} seconds`);
  };
}
