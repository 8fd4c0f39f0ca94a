/**
 * Owns the port to everything auth-server must remember. Kinds and keys are the caller's; a backend keeps records, their
 * lifetimes and the promises that need atomicity: a record is taken once, consumed once, replaced only as it was known.
 */

import { HttpError } from '@mcp-oauth/shared/errors';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface PutOptions {
  /** Seconds from now until the record is gone. Every record has an end. */
  readonly ttl: number;
  /** A second, unique key within the kind. */
  readonly alias?: string | undefined;
}

interface Replacement {
  /** The value as it was read. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** Seconds from now until the record is gone; absent: when it would have been. */
  readonly ttl?: number | undefined;
}

export interface StoredRecord {
  readonly value: JsonObject;
  /** When the record was consumed, in seconds since the epoch. */
  readonly consumedAt?: number;
}

export interface RecordStore {
  put(kind: string, id: string, value: JsonObject, options: PutOptions): Promise<void>;
  /** Writes only where nothing stands; the answer tells whether it did (replay detection, first start of replicas). */
  putIfAbsent(kind: string, id: string, value: JsonObject, options: PutOptions): Promise<boolean>;
  /** Writes only where the record still is as it was read: of many at once exactly one gets `true` (compare-and-set). */
  replace(kind: string, id: string, replacement: Replacement): Promise<boolean>;
  get(kind: string, id: string): Promise<StoredRecord | undefined>;
  getByAlias(kind: string, alias: string): Promise<StoredRecord | undefined>;
  /** Reads and deletes in one step: of many at once exactly one gets the record. */
  take(kind: string, id: string): Promise<StoredRecord | undefined>;
  /** Marks as consumed: of many at once exactly one gets `true`; a missing record is `false`. */
  consume(kind: string, id: string): Promise<boolean>;
  /** Lets the record live for at least so many seconds from now; nothing happens where it is gone. */
  touch(kind: string, id: string, ttl: number): Promise<void>;
  delete(kind: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** The backend can't be reached: nothing was decided, and the same request may succeed in a moment. */
export class StoreUnavailable extends HttpError {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(503, 'temporarily_unavailable', 'This server can not reach its memory. Please try again in a moment.', {
      reason: `store unavailable: ${reason}`,
      headers: { 'Retry-After': '2' },
      cause,
    });
  }
}
