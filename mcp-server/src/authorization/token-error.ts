/** Owns why an access token is refused: precise for the log, while the wire only says `invalid_token` (RFC 6750 §3.1). */

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

  constructor(reason: TokenReason, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
  }
}
