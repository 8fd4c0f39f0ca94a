/** Owns why an exchange is refused: the code for the client (RFC 8693 §2.2.2), and the reason for the log and the audit alone. */

export type ExchangeError =
  | 'invalid_request'
  | 'invalid_target'
  | 'invalid_scope'
  | 'invalid_grant'
  | 'invalid_dpop_proof';

export class ExchangeRefused extends Error {
  override readonly name = 'ExchangeRefused';
  readonly error: ExchangeError;
  /** What the client is told; the same for everything that could be wrong with a subject token. */
  readonly description: string;

  /** @param reason without any part of a token; absent: the client is told everything */
  constructor(error: ExchangeError, description: string, reason: string = description) {
    super(reason);
    this.error = error;
    this.description = description;
  }
}

/** RFC 8693 §2.2.2: a subject token that is not valid, for whatever reason. */
export const badSubject = (reason: string): ExchangeRefused =>
  new ExchangeRefused('invalid_request', 'the subject_token is not valid for this exchange', reason);

/** RFC 8693 §2.2.2: neither what the client may reach nor what exists is told. */
export const badTarget = (reason: string): ExchangeRefused =>
  new ExchangeRefused('invalid_target', 'this client may not exchange the subject_token for this target', reason);
