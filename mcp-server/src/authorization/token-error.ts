/**
 * Owns the reasons why an access token is refused: precise in the log, while the client only gets `invalid_token`
 * (RFC 6750 §3.1). Also converts failures of the check to reasons (RFC 9068 §4).
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
  /** The token is bound to a key without a proof, or in a way that this server does not know. */
  | 'sender_constrained'
  /** The token came with a proof, but is not bound to a key. */
  | 'not_bound'
  | 'bound_to_another_key'
  /** Not an error of the token: the issuer's keys were never fetched, and can't be fetched now. */
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

/** The rules of the check, with its time. */
export interface Rules {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly now: number;
  readonly clockTolerance: number;
}

/** Converts the failure of a check to a TokenError with subject and client; returns any other error unchanged. */
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

/** The expected value of a claim. */
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
      return { expected: 'a non-empty string', found: shown(found) };
  }
}

/** Subject and client as the unverified token names them: useful to find the client, but no proof. */
function claimedIn(token: string): Finding {
  try {
    return { ...whoIn(decodeJwt(token)), verified: false };
  } catch {
    return {};
  }
}
