/**
 * Owns the port to the storage of auth-server. The caller chooses kinds and keys. A backend stores records with their lifetimes and
 * guarantees atomicity: a record is taken once, consumed once, and replaced only if it is unchanged.
 */

import { HttpError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';

export interface PutOptions {
  /** Seconds until the record expires. Every record expires. */
  readonly ttl: number;
  /** A second, unique key within the kind. */
  readonly alias?: string | undefined;
}

interface Replacement {
  /** The value as it was read. */
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** Seconds until the record expires; absent: its expiry stays the same. */
  readonly ttl?: number | undefined;
}

export interface StoredRecord {
  readonly value: JsonObject;
  /** When the record was consumed, in seconds since the epoch. */
  readonly consumedAt?: number;
}

export interface RecordStore {
  put(kind: string, id: string, value: JsonObject, options: PutOptions): Promise<void>;
  /** Writes only if there is no record; returns whether it wrote (replay detection, first start of replicas). */
  putIfAbsent(kind: string, id: string, value: JsonObject, options: PutOptions): Promise<boolean>;
  /** Writes only if the record is unchanged: of concurrent calls exactly one gets `true` (compare-and-set). */
  replace(kind: string, id: string, replacement: Replacement): Promise<boolean>;
  get(kind: string, id: string): Promise<StoredRecord | undefined>;
  getByAlias(kind: string, alias: string): Promise<StoredRecord | undefined>;
  /** Reads and deletes in one step: of concurrent calls exactly one gets the record. */
  take(kind: string, id: string): Promise<StoredRecord | undefined>;
  /** Marks as consumed: of concurrent calls exactly one gets `true`; a missing record gives `false`. */
  consume(kind: string, id: string): Promise<boolean>;
  /** Extends the record to at least `ttl` seconds from now; does nothing if there is no record. */
  touch(kind: string, id: string, ttl: number): Promise<void>;
  delete(kind: string, id: string): Promise<void>;
  close(): Promise<void>;
}

/** The backend is unreachable: nothing was decided, and the same request may succeed in a moment. */
export class StoreUnavailable extends HttpError {
  constructor(cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      503,
      'temporarily_unavailable',
      "The server's storage is temporarily unavailable. Please try again in a moment.",
      {
        reason: `store unavailable: ${reason}`,
        headers: { 'Retry-After': '2' },
        cause,
      },
    );
  }
}
