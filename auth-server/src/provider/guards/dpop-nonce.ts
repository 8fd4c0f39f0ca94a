/**
 * Owns what this server thinks of a DPoP proof beyond what the engine does (RFC 9449 §4.3): it hands out no nonces, and one that is
 * empty is a nonce like any other that nobody gave.
 */
import { decodeJwt } from 'jose';
import { type Configuration, errors } from 'oidc-provider';

type RequireNonce = NonNullable<NonNullable<NonNullable<Configuration['features']>['dPoP']>['requireNonce']>;

/** The engine asks this about each proof before it reads it, would take an empty nonce for none, and fail on that afterwards. */
export const refuseEmptyNonce: RequireNonce = (ctx) => {
  if (nonceOf(ctx.get('DPoP')) === '') throw new errors.InvalidDpopProof('DPoP nonces are not supported');
  return false;
};

/** A proof that can't be read is for the engine to refuse. */
function nonceOf(proof: string): unknown {
  try {
    return decodeJwt(proof).nonce;
  } catch {
    return undefined;
  }
}
