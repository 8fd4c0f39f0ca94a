/** Owns why a client document could not be used: a precise reason for the log, and a coarse outcome for everybody else. */

/** The outcome that anybody may learn. More details (address, port, error) would make this server usable as a scanner. */
export type Outcome = 'refused' | 'unreachable' | 'unusable' | 'limited';

const OUTCOMES = {
  url: 'refused',
  denied_by_policy: 'refused',
  dns: 'unreachable',
  private_address: 'unreachable',
  connection: 'unreachable',
  tls: 'unreachable',
  timeout: 'unreachable',
  proxy: 'unreachable',
  status: 'unreachable',
  missing: 'unusable',
  gone: 'unusable',
  content_type: 'unusable',
  encoding: 'unusable',
  too_large: 'unusable',
  not_json: 'unusable',
  client_id_mismatch: 'unusable',
  shared_secret: 'unusable',
  invalid: 'unusable',
  limited: 'limited',
} as const satisfies Readonly<Record<string, Outcome>>;

export type Reason = keyof typeof OUTCOMES;

interface Details {
  readonly host: string;
  readonly detail?: string | undefined;
  /** The status of the answer, if that is the reason. */
  readonly status?: number;
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

export class ClientDocumentError extends Error {
  override readonly name = 'ClientDocumentError';
  readonly reason: Reason;
  /** Host of the document. */
  readonly host: string;
  readonly status: number | undefined;
  /** Seconds until the next attempt; only if the outcome is `limited`. */
  readonly retryAfter: number | undefined;

  constructor(reason: Reason, { host, detail, status, retryAfter, cause }: Details) {
    super(detail ? `${reason}: ${detail}` : reason, { cause });
    this.reason = reason;
    this.host = host;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  get outcome(): Outcome {
    return OUTCOMES[this.reason];
  }
}
