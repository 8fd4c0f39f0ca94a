/**
 * Owns the limits for one request and one person, and the error messages for clients that reach them (RFC 6585 §4,
 * JSON-RPC 2.0 §5.1). A limit has the name of its setting in the error, in the log and in the metric.
 */

export type Limit = keyof typeof WORDS;

const WORDS = {
  MAX_MESSAGE_ELEMENTS: (most: number) => `A message may have at most ${most} JSON values`,
  MAX_BATCH_MESSAGES: (most: number) => `A batch may have at most ${most} messages`,
  MAX_ANSWER_BYTES: (most: number) => `The answer is larger than ${most} bytes; ask for less`,
  MAX_CALLS_PER_SESSION: (most: number) =>
    `At most ${most} requests of one session may run concurrently; try again when one of them has ended`,
  MAX_CALLS_PER_PRINCIPAL: (most: number) =>
    `At most ${most} requests of one user may run concurrently; try again when one of them has ended`,
  MAX_BYTES_PER_PRINCIPAL: (most: number) =>
    `Request bodies and unread answers of one user may take at most ${most} bytes; read the answers and try again`,
  MAX_STORED_BYTES_PER_SESSION: (most: number) =>
    `Unread answers of one session may take at most ${most} bytes; read them and try again`,
  MAX_STORED_BYTES_PER_PRINCIPAL: (most: number) =>
    `Unread answers of one user may take at most ${most} bytes; read them and try again`,
  MAX_STORED_BYTES: (most: number) => `The server stores its maximum of ${most} bytes of answers; try again soon`,
  MAX_SESSIONS: (most: number) => `The server has its maximum of ${most} sessions; try again soon`,
  MAX_SESSIONS_PER_PRINCIPAL: (most: number) =>
    `One user may have at most ${most} sessions in use; end one of them and try again`,
  MAX_SUBSCRIPTIONS: (most: number) => `The server has its maximum of ${most} open subscriptions; try again soon`,
  MAX_SUBSCRIPTIONS_PER_PRINCIPAL: (most: number) =>
    `One user may have at most ${most} open subscriptions; close one of them and try again`,
} as const;

export const LIMITS = Object.keys(WORDS) as readonly Limit[];

/** The members of a JSON-RPC error. */
export interface LimitReached {
  readonly message: string;
  readonly data: { readonly limit: Limit; readonly most: number };
}

export const limitReached = (limit: Limit, most: number): LimitReached => ({
  message: WORDS[limit](most),
  data: { limit, most },
});

/** Seconds after which a client may try again after it has reached one of its own limits (RFC 9110 §10.2.3). */
export const RETRY_AFTER = '5';
