/**
 * Ensures that a DPoP proof with an empty nonce is refused (RFC 9449 §4.3): this server issues no nonces, so an empty nonce is as
 * unknown as any other.
 */
import { decodeJwt } from 'jose';
import { type Configuration, errors } from 'oidc-provider';

type RequireNonce = NonNullable<NonNullable<NonNullable<Configuration['features']>['dPoP']>['requireNonce']>;

/** The engine calls this for each proof before it reads it. It would treat an empty nonce as absent, and fail later. */
export const refuseEmptyNonce: RequireNonce = (ctx) => {
  if (nonceOf(ctx.get('DPoP')) === '') throw new errors.InvalidDpopProof('DPoP nonces are not supported');
  return false;
};

/** The engine refuses a proof that cannot be parsed. */
function nonceOf(proof: string): unknown {
  try {
    return decodeJwt(proof).nonce;
  } catch {
    return undefined;
  }
}
