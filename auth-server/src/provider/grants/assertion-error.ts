/**
 * Owns the answer to a client whose assertion is refused (RFC 7521 §4.1.1, RFC 6749 §5.2): terse, because the reason is about somebody
 * else's JWT. The log and the audit have the reason.
 */
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import { AssertionRefused, IssuerUnavailable } from '../../assertions/refused.ts';

/** Seconds after which keys that could not be read are asked for again. */
const RETRY_AFTER = 30;

/** The error of the engine for an error of the assertions; any other error is returned as it is. */
export function assertionError(ctx: KoaContextWithOIDC, error: unknown): unknown {
  if (error instanceof IssuerUnavailable) {
    ctx.set('Retry-After', String(RETRY_AFTER));
    const description = 'the issuer of the assertion could not be asked for its keys';
    const unavailable = new errors.CustomOIDCProviderError('temporarily_unavailable', description, { cause: error });
    return Object.assign(unavailable, { status: 503, statusCode: 503, expose: true });
  }
  return refusalOf(error);
}

/** The same for an error that no keys were needed for. */
export function refusalOf(error: unknown): unknown {
  if (!(error instanceof AssertionRefused)) return error;
  if (error.reason === 'public client') {
    return Object.assign(new errors.UnauthorizedClient('assertions need a client with a secret or key'), {
      cause: error,
    });
  }
  return Object.assign(new errors.InvalidGrant({ detail: error.message, cause: error }), {
    error_description: 'the assertion was refused',
  });
}

/** Which assertion was refused and why, for the log, which writes no member `assertion`. */
export const refusedAssertion = ({ cause }: Error) =>
  cause instanceof AssertionRefused ? { refusedAssertion: { reason: cause.reason, ...cause.facts } } : undefined;
