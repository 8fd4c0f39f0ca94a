/** Owns the two kinds of failure that both services distinguish: an HTTP error, and the reason why a process cannot start. */

export interface HttpErrorDetails {
  /** The precise cause, for the log only; never sent. */
  readonly reason?: string;
  /** Further details for the log: who, expected and found values, the setting that decides. No secrets. */
  readonly facts?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An answer other than success: terse and standard on the wire (RFC 6749 §5.2 form), precise in the log. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  readonly facts: object;
  readonly headers: Readonly<Record<string, string>>;

  /** @param code the `error` member, `description` the `error_description` member of the JSON answer. */
  constructor(status: number, code: string, description: string, details: HttpErrorDetails = {}) {
    super(description, { cause: details.cause });
    this.status = status;
    this.code = code;
    this.reason = details.reason ?? code;
    this.facts = details.facts ?? {};
    this.headers = details.headers ?? {};
  }
}

/** A configuration that cannot work: shown to the operator as one line without a stack, and the process exits with 1. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
