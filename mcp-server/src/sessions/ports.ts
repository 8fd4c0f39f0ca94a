/**
 * Owns what sessions need of the world outside their replica: a store of records, a log for each stream, and a bus between
 * the replicas. Every adapter passes one contract suite; all of them reject with `StorageUnavailable` while it is away.
 */
import type { Owner } from '../authorization/principal.ts';
import type { McpSession } from './session.ts';

/** The store can't be reached now; nothing is known about what was asked. */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable';
}

/** No session can be opened: this person has too many that are in use, or everybody together has. */
export type Full = 'principal' | 'server';

export interface Opened {
  /** The session that made room, idle for longest of this person's. */
  readonly evicted?: string;
}

/** What the use of a session changes. */
type Use = Pick<McpSession, 'usedUntil' | 'tokenExpiresAt'>;

export type Alteration = Partial<Pick<McpSession, 'agreed' | 'logLevel'>> & {
  readonly subscribe?: string;
  readonly unsubscribe?: string;
};

/** What is read of each session of an owner. */
export type InUse = Pick<McpSession, 'id' | 'agreed'>;

export interface SessionStore {
  /** Milliseconds between two writes of the use of one session that are worth their cost. */
  readonly pace: number;
  /** Writes a new session, if the limits have room for it. */
  create(session: McpSession): Promise<Opened | Full>;
  /** Nothing for one that has ended, by whatever way. */
  get(id: string): Promise<McpSession | undefined>;
  /** Later ends win. @returns false when the session has ended */
  use(session: McpSession, use: Use): Promise<boolean>;
  /** @returns false when the session has ended, or has as many subscriptions as it may */
  alter(id: string, alteration: Alteration): Promise<boolean>;
  /** Ends it, with the logs of its streams. @returns false when it had ended before */
  delete(id: string): Promise<boolean>;
  /** All of an owner over one transport that something is open of, or was a moment ago. */
  inUse(owner: Owner, transport: McpSession['transport']): Promise<readonly InUse[]>;
  /** Of all replicas. */
  count(): Promise<number>;
  /** In no order; each that is there all the while once, whatever happens to others meanwhile. */
  list(): AsyncIterable<McpSession>;
}

/** Most subscriptions of one session. */
export const MAX_SUBSCRIPTIONS = 1_000;

export interface StreamEvent {
  /** Strictly increases within its stream. */
  readonly id: string;
  /** One JSON-RPC message as text, or nothing: the event is there for its id. */
  readonly data: string;
  /** After this one the stream is over. */
  readonly last: boolean;
}

/** One connection that a stream is read by. */
export interface Reader {
  readonly replica: string;
  /** Unique within its replica. */
  readonly connection: string;
}

/** A stream of a session. */
export interface StreamName {
  readonly session: string;
  readonly stream: string;
}

export interface Append {
  readonly data: string;
  readonly last?: boolean;
  /** Who appends, and a number that grows with each append of theirs to this stream: what is tried again is written once. */
  readonly producer: string;
  readonly sequence: number;
  /** Ids of the requests that the stream is to answer; said once, with the first event. */
  readonly requests?: string;
  /** Up to which change the reader has been told with this event; not written for one who has been told already. */
  readonly changes?: number;
  /** Added even where there is no room: short, and one for each request at the most. */
  readonly forced?: boolean;
}

interface Taken {
  readonly previous: Reader | undefined;
  /** The last event that a reader is known to have got; absent: none. */
  readonly cursor: string | undefined;
  /** Up to which change a reader has been told. */
  readonly changes: number | undefined;
}

/** What a stream is about, as far as is known here. */
interface StreamState {
  readonly reader: Reader | undefined;
  readonly requests: string | undefined;
  readonly over: boolean;
}

/** Whose budget of bytes is used up by events that nobody is known to have read. */
export type NoRoom = 'session' | 'principal' | 'server';

/** What has become of an event: it is in the log, or it is not, for want of room. */
type Appended = { readonly reader: Reader | undefined } | { readonly full: NoRoom };

export interface EventLog {
  /** Adds to the end, unless the session or the stream is over: `undefined` then. */
  append(name: StreamName, event: Append): Promise<Appended | undefined>;
  /** In order; `after` itself is left out. An event that has been dropped for the bounds is missing without a word. */
  read(name: StreamName, after: string | undefined, limit: number): Promise<readonly StreamEvent[]>;
  /** Makes `reader` the one that reads. @returns nothing when the session is over */
  take(name: StreamName, reader: Reader): Promise<Taken | undefined>;
  /** Keeps what a reader holds, and notes how far it is; of changes the latest counts. @returns false when another one reads now, or the session is over */
  renew(name: StreamName, reader: Reader, progress: { cursor?: string; changes?: number }): Promise<boolean>;
  /** Nobody reads, if it was this one that did. */
  release(name: StreamName, reader: Reader): Promise<void>;
  state(name: StreamName): Promise<StreamState | undefined>;
  /** The client has everything up to this event: it is kept no longer, unless somebody has to know what was answered. */
  acknowledge(name: StreamName, upTo: string): Promise<void>;
  /** The client has the whole of a stream, which is over, by this reader; nothing happens when another one reads it. */
  discard(name: StreamName, reader: Reader): Promise<void>;
  /** Stores which requests a replica has not answered yet on a stream: their ids as JSON text, or an empty text. */
  notePending(name: StreamName, replica: string, requests: string): Promise<void>;
  /** The ids of unanswered requests as JSON text, by replica. */
  pendingRequests(name: StreamName): Promise<ReadonlyMap<string, string>>;
}

export interface LogLimits {
  /** Events of one stream that are kept for a client that comes back; the oldest are dropped. */
  readonly events: number;
  readonly bytes: number;
  /** Seconds that the log of a stream is kept which nobody reads and writes: before it is over, and after. */
  readonly keepOpen: number;
  readonly keepOver: number;
  /**
   * Streams of one session that are over and that nobody reads: how many of them are kept for a client that has missed the
   * end. The oldest are dropped, or a client that makes many calls would fill the memory.
   */
  readonly over: number;
  /**
   * Bytes of the events that are kept of one session, of one person and of all. What makes room is what nobody reads, of the
   * same session or person, or of whoever has most; then what has been handed to its reader.
   */
  readonly sessionBytes: number;
  readonly personBytes: number;
  readonly totalBytes: number;
}

/** Bytes that a session may keep while its person or everybody together has used up their budget. */
export const LEAST_ROOM = 65_536;

/** What replicas tell each other. */
export type BusMessage =
  /** The log has something new for one of your connections. */
  | { readonly kind: 'wake'; readonly session: string; readonly stream: string }
  /** Another connection reads that stream now. */
  | { readonly kind: 'taken'; readonly session: string; readonly stream: string; readonly connection: string }
  /** The client's answer to a request of yours. */
  | { readonly kind: 'response'; readonly session: string; readonly message: unknown }
  | { readonly kind: 'cancelled'; readonly session: string; readonly message: unknown }
  /** The record has changed. */
  | { readonly kind: 'altered'; readonly session: string }
  | { readonly kind: 'ended'; readonly session: string }
  | { readonly kind: 'changed'; readonly change: string; readonly version: number };

export interface MessageBus {
  /** The name of this replica: short, without a dot, new at each start. */
  readonly replica: string;
  /** @returns false when that replica is gone */
  send(replica: string, message: BusMessage): Promise<boolean>;
  /** To all other replicas; whoever is away at that moment never hears of it. */
  broadcast(message: BusMessage): Promise<void>;
  /** Only what is not alive is gone for good; a replica that is cut off for seconds is alive. */
  isAlive(replica: string): Promise<boolean>;
  /** Whether a replica would hear of a message now, or in a moment. */
  isListening(replica: string): Promise<boolean>;
  /**
   * @param onMessage for each message that arrives
   * @param onReturn after an absence in which messages may have got lost
   */
  subscribe(onMessage: (message: BusMessage) => void, onReturn: () => void): void;
  close(): Promise<void>;
}

interface NumberedChange {
  readonly change: string;
  readonly version: number;
}

/** Numbers the changes of what the server offers, for clients that were away. */
export interface ChangeLog {
  /** @returns the number of this change */
  record(change: string): Promise<number>;
  /** The changes after that number, each once with its latest number, in order; only the most recent if there were very many. */
  since(version: number): Promise<{ readonly version: number; readonly changes: readonly NumberedChange[] }>;
}

export interface SessionStorage {
  readonly store: SessionStore;
  readonly log: EventLog;
  readonly bus: MessageBus;
  readonly changes: ChangeLog;
}
