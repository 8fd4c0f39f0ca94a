/** Owns the measured costs from which capacity is computed: the form of measured.json. */
export interface UnitCost {
  /** Microseconds of the processor of the service, and of Redis. */
  readonly service: number;
  readonly redis: number;
}

export interface Costs {
  /** A plain tool call of 2025-11-25 in a session that the replica knows, and one of 2026-07-28. */
  readonly call: UnitCost;
  readonly statelessCall: UnitCost;
  /** A tool call that reports its progress twice, and so becomes a stream. */
  readonly streamedCall: UnitCost;
  /** What the first use of a token at a replica costs more. */
  readonly firstUse: UnitCost;
  /** `initialize`, and the opening of the stream of a session. */
  readonly open: UnitCost;
  readonly attach: UnitCost;
  /** The reading of the record of a session by a replica, and writing that it was used. */
  readonly read: UnitCost;
  readonly use: UnitCost;
  /** What an open stream costs every 15 seconds. */
  readonly keepAlive: UnitCost;
  readonly signIn: UnitCost;
  readonly refresh: UnitCost;
  /** Microseconds of the gateway for each request. */
  readonly gateway: number;
  /** MiB of a replica and of an auth-server without work of clients. */
  readonly replicaMiB: number;
  /** KiB of a replica for a session that it knows, and for an open stream. */
  readonly sessionKiB: number;
  readonly streamKiB: number;
  /** Bytes in Redis for a session with its stream. */
  readonly sessionBytes: number;
  /** Bytes in Redis for an approval of a person for a client, and for each refresh token. */
  readonly approvalBytes: number;
  readonly refreshTokenBytes: number;
}

/** Seconds, as in the code and the default settings. */
export const PACE = {
  /** For which a replica knows a checked token. */
  token: 60,
  /** For which it uses its copy of the record of a session. */
  copy: 10,
  /** Between two writes that a session was used. */
  use: 30,
  /** Between two comments on an open stream. */
  keepAlive: 15,
  /** ACCESS_TOKEN_LIFETIME. */
  refresh: 600,
  /** REFRESH_TOKEN_LIFETIME. */
  refreshToken: 14 * 86_400,
} as const;
