/**
 * Owns why an access token is refused: precise for the log, while the wire only says `invalid_token` (RFC 6750 §3.1), and what
 * the failures of the check mean (RFC 9068 §4).
 */
import { decodeJwt, errors } from 'jose';
import { type Finding, shown, shownTime, whoIn } from './finding.ts';

export type TokenReason =
  | 'malformed'
  | 'algorithm'
  | 'wrong_type'
  | 'unknown_key'
  | 'bad_signature'
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'expired'
  | 'not_yet_valid'
  | 'missing_claim'
  /** Bound to a key that was not shown, or in a way that is not known here. */
  | 'sender_constrained'
  /** Shown with a proof of a key that it is not bound to. */
  | 'not_bound'
  | 'bound_to_another_key'
  /** Not the token's fault: the issuer's keys have never been seen and can't be fetched now. */
  | 'keys_unavailable';

export class TokenError extends Error {
  override readonly name = 'TokenError';
  readonly reason: TokenReason;
  readonly finding: Finding;

  constructor(reason: TokenReason, finding: Finding = {}, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
    this.finding = finding;
  }
}

/** What was checked, with the time of the check. */
export interface Rules {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly now: number;
  readonly clockTolerance: number;
}

/** The failure of a check as a TokenError that says whose token it is; what is no such failure stays as it is. */
export function toTokenError(error: unknown, token: string, rules: Rules): unknown {
  const failure = failureOf(error, rules);
  if (!(failure instanceof TokenError) || failure.finding.subject !== undefined) return failure;
  return new TokenError(failure.reason, { ...failure.finding, ...claimedIn(token) }, failure.cause);
}

function failureOf(error: unknown, rules: Rules): unknown {
  if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) {
    const { claim, payload } = error;
    const finding = { claim, ...expectedOf(claim, payload[claim], rules), ...whoIn(payload) };
    return new TokenError(reasonOf(error), finding, error);
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenError('bad_signature', {}, error);
  if (error instanceof errors.JOSEError) return new TokenError('malformed', { found: error.message }, error);
  return error;
}

const FAILED_CLAIMS: Readonly<Record<string, TokenReason>> = {
  iss: 'wrong_issuer',
  aud: 'wrong_audience',
  nbf: 'not_yet_valid',
};

function reasonOf(error: errors.JWTExpired | errors.JWTClaimValidationFailed): TokenReason {
  if (error instanceof errors.JWTExpired) return 'expired';
  const failed = error.reason === 'check_failed' ? FAILED_CLAIMS[error.claim] : undefined;
  return failed ?? (error.reason === 'missing' ? 'missing_claim' : 'malformed');
}

/** What a claim should have been. */
export function expectedOf(claim: string, found: unknown, { issuer, audiences, now, clockTolerance }: Rules): Finding {
  switch (claim) {
    case 'iss':
      return { expected: issuer, found: shown(found), setting: 'ISSUER' };
    case 'aud':
      return { expected: audiences, found: shown(found), setting: 'AUDIENCES' };
    case 'exp':
      return {
        expected: `after ${shownTime(now - clockTolerance)}`,
        found: shownTime(found),
        setting: 'CLOCK_TOLERANCE',
      };
    case 'nbf':
    case 'iat':
      return {
        expected: `before ${shownTime(now + clockTolerance)}`,
        found: shownTime(found),
        setting: 'CLOCK_TOLERANCE',
      };
    default:
      return { expected: 'a text that is not empty', found: shown(found) };
  }
}

/** Whose token it says it is: good to find the client that sent it, and proof of nothing. */
function claimedIn(token: string): Finding {
  try {
    return { ...whoIn(decodeJwt(token)), verified: false };
  } catch {
    return {};
  }
}
