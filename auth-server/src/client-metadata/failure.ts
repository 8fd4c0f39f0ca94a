/** Owns why a document of a client could not be used: a precise reason for the log, and a coarse outcome that may be told to anybody. */

/** What a stranger may learn. More (which address, which port, which error) would make this server a scanner for others. */
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
  /** What the host answered, where that is the reason. */
  readonly status?: number;
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

export class ClientMetadataError extends Error {
  override readonly name = 'ClientMetadataError';
  readonly reason: Reason;
  /** Where it would have been read. */
  readonly host: string;
  readonly status: number | undefined;
  /** Seconds after which it may go better; only where it is `limited`. */
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
