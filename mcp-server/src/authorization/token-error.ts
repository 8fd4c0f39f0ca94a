/**
 * Owns the reasons why an access token is refused: precise in the log, while the client only gets `invalid_token`
 * (RFC 6750 §3.1). Also converts failures of the check to reasons (RFC 9068 §4).
 */
import { decodeJwt, errors } from 'jose';
import { type Finding, shown, shownTime, whoIn } from './finding.ts';
import type { TokenRules } from './token/rules.ts';

export type TokenReason =
  | 'malformed'
  | 'algorithm'
  | 'wrong_type'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'no_audience'
  | 'expired'
  | 'not_yet_valid'
  | 'missing_claim'
  /** A claim lacks a value that the settings require. */
  | 'wrong_claim'
  /** A claim shows that it is an ID token, or another token that is not for a resource. */
  | 'not_an_access_token'
  /** The token is bound to a key without a proof, or in a way that this server does not know. */
  | 'sender_constrained'
  /** The token came with a proof, but is not bound to a key. */
  | 'not_bound'
  | 'bound_to_another_key'
  /** Its reference into a status list is marked. */
  | 'revoked'
  /** Its reference into a status list is none that can be looked up. */
  | 'wrong_status'
  /** Not an error of the token: its status list can't be read. */
  | 'status_unavailable'
  /** Not an error of the token: the issuer's keys were never fetched, and can't be fetched now. */
  | 'keys_unavailable'
  /** The issuer says that an opaque token is not active. */
  | 'inactive'
  /** Not an error of the token: the issuer did not answer whether it is active. */
  | 'introspection_unavailable'
  /** The caller has sent too many opaque tokens that the issuer does not know. */
  | 'too_many_unknown';

export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly reason: TokenReason;
  readonly finding: Finding;
  /** The variables of the issuer whose rules refuse the token; absent: no issuer is known. */
  readonly variable: TokenRules['variable'] | undefined;

  constructor(reason: TokenReason, finding: Finding = {}, cause?: unknown, variable?: TokenRules['variable']) {
    super(reason, { cause });
    this.reason = reason;
    this.finding = finding;
    this.variable = variable;
  }
}

/** The same error, with the variables of this issuer. */
export const ofIssuer = (error: unknown, variable: TokenRules['variable']): unknown =>
  error instanceof TokenError ? new TokenError(error.reason, error.finding, error.cause, variable) : error;

/** The rules of the check, with its time. */
export interface Checked {
  readonly rules: Pick<TokenRules, 'clockTolerance' | 'variable'>;
  /** Seconds since the epoch. */
  readonly now: number;
}

/** Converts the failure of a check to a TokenError with subject and client; returns any other error unchanged. */
export function toTokenError(error: unknown, token: string, checked: Checked): unknown {
  const failure = failureOf(error, checked);
  if (!(failure instanceof TokenError) || 'subject' in failure.finding) return failure;
  return new TokenError(failure.reason, { ...failure.finding, ...claimedIn(token) }, failure.cause);
}

function failureOf(error: unknown, checked: Checked): unknown {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    const { claim, payload } = error;
    return new TokenError(
      reasonOf(error),
      { claim, ...timeOf(claim, payload[claim], checked), ...whoIn(payload) },
      error,
    );
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('bad_signature', {}, error);
  if (error instanceof errors.JOSEError) return new TokenError('malformed', { found: error.message }, error);
  return error;
}

function reasonOf(error: errors.JWTExpired | errors.JWTClaimValidationFailed): TokenReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error.reason === 'check_failed' && error.claim === 'nbf') return 'not_yet_valid';
  return error.reason === 'missing' ? 'missing_claim' : 'malformed';
}

/** The expected time of a claim. */
function timeOf(claim: string, found: unknown, { rules, now }: Checked): Finding {
  const { clockTolerance } = rules;
  if (typeof found !== 'number') return { expected: 'a time', found: shown(found) };
  const expected =
    claim === 'exp' ? `after ${shownTime(now - clockTolerance)}` : `before ${shownTime(now + clockTolerance)}`;
  return { expected, found: shownTime(found), setting: rules.variable('CLOCK_TOLERANCE') };
}

/** Subject and client as the unverified token names them: useful to find the client, but no proof. */
export function claimedIn(token: string): Finding {
  try {
    return { ...whoIn(decodeJwt(token)), verified: false };
  } catch {
    return {};
  }
}
