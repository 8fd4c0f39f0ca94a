/**
 * Owns the port to the directory of grants: who has approved which client, since when and last used when. The records of the grants
 * decide; the directory finds them, for people, operators and endings. A grant is listed before its record is written, so that no
 * ending misses one.
 */
import { HttpError } from '@mcp-oauth/shared/errors';

/** Times are seconds since the epoch. */
export interface GrantEntry {
  /** The key of the grant in the store: a digest of the engine's id, which gives no access. */
  readonly id: string;
  readonly accountId: string;
  readonly clientId: string;
  /** Identifiers, in every spelling that was approved. */
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
  readonly organisation?: string | undefined;
  /** Where it was last approved: on a page of a browser, for a device that shows a code (RFC 8628), or by an identity provider (ID-JAG). */
  readonly via: 'browser' | 'device' | 'enterprise';
  /** The first approval. */
  readonly createdAt: number;
  /** The last approval or token request; a few minutes old at most. */
  readonly lastUsedAt: number;
  readonly expiresAt: number;
}

/** A person or a client with grants. */
export interface Party {
  /** Its `accountId` or `client_id`. */
  readonly id: string;
  readonly grants: number;
  /** Of its newest hundred grants. */
  readonly lastUsedAt: number;
}

export interface Page<T> {
  /** A page may have fewer than others, or none, although more follow. */
  readonly items: readonly T[];
  /** Where the next page begins; absent: this is the last one. */
  readonly next?: string | undefined;
}

/** All grants, or those of a person or of a client. */
export interface Selection {
  readonly accountId?: string | undefined;
  readonly clientId?: string | undefined;
}

/** Lists have the newest approval first. @throws HttpError for a cursor that is none */
export interface GrantDirectory {
  /** Writes an entry, or replaces it. */
  put(entry: GrantEntry): Promise<void>;
  /**
   * @param usedAt absent: the entry stays unchanged
   * @returns whether there is an entry
   */
  touch(id: string, usedAt?: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  get(id: string): Promise<GrantEntry | undefined>;
  list(cursor?: string): Promise<Page<GrantEntry>>;
  byPerson(accountId: string, cursor?: string): Promise<Page<GrantEntry>>;
  byClient(clientId: string, cursor?: string): Promise<Page<GrantEntry>>;
  people(cursor?: string): Promise<Page<Party>>;
  clients(cursor?: string): Promise<Page<Party>>;
  /** Ids for an ending, oldest approval first: whatever is listed before the first call is found, also if it is renewed meanwhile. */
  ids(selection: Selection, cursor?: string): Promise<Page<string>>;
  close(): Promise<void>;
}

/** Maximum number of items of a page. */
export const PAGE = 100;

export const badCursor = (): HttpError =>
  new HttpError(400, 'invalid_request', 'The page that was asked for is unknown.');
