/**
 * Ensures that a client assertion (RFC 7523 §3) and a DPoP proof (RFC 9449 §11.1) are accepted once only, also with concurrent
 * requests to several replicas. It replaces `provider.ReplayDetection.unique` of oidc-provider 9.13.3, which reads before it writes,
 * so that two requests at once both pass.
 */
import { createHash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type Provider from 'oidc-provider';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { RecordStore } from '../../storage/record-store.ts';

const KIND = 'ReplayDetection';
/** Seconds. Used assertions are stored until they expire, so a client must not choose any expiry. */
const LONGEST_ASSERTION = 3_600;
/**
 * Seconds. The engine accepts a proof that is dated up to 300 seconds ahead, computes its expiry as if it were made now, and accepts
 * it in the second of its expiry as well.
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
    // A NumericDate (RFC 7519 §2) may have a fraction; lifetimes are whole seconds.
    const left = Math.max(1, Math.ceil(expiresAt) - seconds(clock));
    return store.putIfAbsent(KIND, id, {}, { ttl: left + DATED_AHEAD });
  };
}

/** @throws InvalidClientAuth for an assertion that is valid for too long */
export function boundAssertions(clock: Clock) {
  return async (_ctx: KoaContextWithOIDC, { exp }: { readonly exp?: unknown }): Promise<void> => {
    if (Number(exp) - seconds(clock) <= LONGEST_ASSERTION) return;
    throw new errors.InvalidClientAuth(`the assertion must expire within ${LONGEST_ASSERTION} seconds`);
  };
}
