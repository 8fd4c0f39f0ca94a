/**
 * Owns the ports of sessions: a store of records, a log for each stream, and a bus between the replicas. Every
 * adapter passes one contract suite. All of them reject with `StorageUnavailable` while the storage is unavailable.
 */
import type { Owner } from '../authorization/principal.ts';
import type { McpSession } from './session.ts';

/** The store can't be reached now. Whether the operation took effect is unknown. */
export class StorageUnavailable extends Error {
  override readonly name: string = 'StorageUnavailable';
}

/**
 * A bug in an adapter, or a record that it cannot read: logged where it was caught, and not worth a retry. Background work treats it
 * as an outage, so that it ends neither the process nor other sessions; a request is answered with 500.
 */
export class StorageFault extends StorageUnavailable {
  override readonly name = 'StorageFault';
}

/** The limit that prevents a new session: this person's, or that of the whole server. */
export type Full = 'principal' | 'server';

export interface Opened {
  /** The session that was ended to make room: the one of this person that was idle for longest. */
  readonly evicted?: string;
}

/** The members of a record that change when a session is used. */
type Use = Pick<McpSession, 'usedUntil' | 'tokenExpiresAt' | 'status'>;

export type Alteration = Partial<Pick<McpSession, 'agreed' | 'logLevel'>> & {
  readonly subscribe?: string;
  readonly unsubscribe?: string;
};

/** The members that are read of each session of an owner. */
export type InUse = Pick<McpSession, 'id' | 'agreed'>;

export interface SessionStore {
  /** Minimum milliseconds between two writes of the use of one session. */
  readonly pace: number;
  /** Writes a new session if the limits allow it. */
  create(session: McpSession): Promise<Opened | Full>;
  /** Resolves to nothing for a session that has ended, for whatever reason. */
  get(id: string): Promise<McpSession | undefined>;
  /** The later end wins, and the status of the token that expires last. @returns false when the session has ended */
  use(session: McpSession, use: Use): Promise<boolean>;
  /** @returns false when the session has ended, or has its maximum number of subscriptions */
  alter(id: string, alteration: Alteration): Promise<boolean>;
  /** Ends the session and deletes the logs of its streams. @returns false when it had ended before */
  delete(id: string): Promise<boolean>;
  /** All sessions of an owner over one transport that have something open, or had until a moment ago. */
  inUse(owner: Owner, transport: McpSession['transport']): Promise<readonly InUse[]>;
  /** Counts the sessions of all replicas. */
  count(): Promise<number>;
  /**
   * In no order. Lists each session that exists during the whole iteration exactly once, whatever happens to others
   * meanwhile.
   */
  list(): AsyncIterable<McpSession>;
}

/** Maximum number of subscriptions of one session. */
export const MAX_SUBSCRIPTIONS = 1_000;

export interface StreamEvent {
  /** Strictly increases within its stream. */
  readonly id: string;
  /** One JSON-RPC message as text, or an empty text for an event that only carries its id. */
  readonly data: string;
  /** Whether this is the last event of the stream. */
  readonly last: boolean;
}

/** The position before the first event of any log. */
export const START = '0-0';

/** A connection that reads a stream. */
export interface Reader {
  readonly replica: string;
  /** Unique within its replica. */
  readonly connection: string;
}

/** The name of a stream of a session. */
export interface StreamName {
  readonly session: string;
  readonly stream: string;
}

export interface Append {
  readonly data: string;
  readonly last?: boolean | undefined;
  /** The writer, and a number that grows with each of its appends to this stream: a retried append is written once. */
  readonly producer: string;
  readonly sequence: number;
  /** Ids of the requests that the stream answers, as JSON text; set with the first event. */
  readonly requests?: string | undefined;
  /**
   * The number of the latest change that this event announces. The log skips the event if the reader already knows
   * that change.
   */
  readonly changes?: number | undefined;
  /** Appends even when no space is left. Only for short events, at most one for each request. */
  readonly forced?: boolean;
  /** The position of a reader: if no event is between it and this one, the result has the id of this event. */
  readonly after?: string | undefined;
}

interface Taken {
  readonly previous: Reader | undefined;
  /** The last event that a reader is known to have received; absent: none. */
  readonly cursor: string | undefined;
  /** The number of the latest change that a reader was told. */
  readonly changes: number | undefined;
}

/** The last event that a reader was sent, and the number of the latest change that it was told. */
export interface Progress {
  readonly cursor?: string;
  readonly changes?: number;
}

/** The state of a stream as the log knows it. */
interface StreamState {
  readonly reader: Reader | undefined;
  readonly requests: string | undefined;
  readonly over: boolean;
}

/** The byte budget that is used up by events that no reader is known to have received. */
export type ExhaustedBudget = 'session' | 'principal' | 'server';

/**
 * The result of an append: the current reader, or the budget that left no space for the event. With an id, a reader at
 * the position that was given can get the event without reading the log.
 */
export type Appended =
  | { readonly reader: Reader | undefined; readonly id?: string | undefined }
  | { readonly full: ExhaustedBudget };

/** What memory answers at once, and a store across the network later: a frequent path avoids promises that it does not need. */
export type Soon<T> = T | Promise<T>;

/** Goes on with a value, in this turn if it is there. */
export const soon = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  value instanceof Promise ? value.then(next) : next(value);

export interface EventLog {
  /** Appends an event. @returns `undefined` when the session or the stream has ended */
  append(name: StreamName, event: Append): Soon<Appended | undefined>;
  /** In order, without `after` itself. Events that were dropped because of the limits are skipped silently. */
  read(name: StreamName, after: string | undefined, limit: number): Soon<readonly StreamEvent[]>;
  /** Makes `reader` the reader of the stream. @returns nothing when the session has ended */
  take(name: StreamName, reader: Reader): Promise<Taken | undefined>;
  /**
   * Extends the claim of a reader and stores its progress; the highest change number counts.
   * @returns false when another connection reads the stream now, or the session has ended
   */
  renew(name: StreamName, reader: Reader, progress: Progress): Promise<boolean>;
  /** Ends the claim of this reader and stores its progress; does nothing when another connection has it. */
  release(name: StreamName, reader: Reader, progress: Progress): Promise<void>;
  state(name: StreamName): Promise<StreamState | undefined>;
  /**
   * The client has every event up to this one. The log drops them, unless they are needed to know which requests
   * were answered.
   */
  acknowledge(name: StreamName, upTo: string): Promise<void>;
  /**
   * The client has received a finished stream completely through this reader. Does nothing when another connection
   * reads it.
   */
  discard(name: StreamName, reader: Reader): Promise<void>;
  /** Stores which requests a replica has not answered yet on a stream: their ids as JSON text, or an empty text. */
  notePending(name: StreamName, replica: string, requests: string): Promise<void>;
  /** The ids of unanswered requests as JSON text, by replica. */
  pendingRequests(name: StreamName): Promise<ReadonlyMap<string, string>>;
}

export interface LogLimits {
  /** Maximum number of events of one stream that are kept for a client that reconnects; the oldest are dropped. */
  readonly events: number;
  readonly bytes: number;
  /**
   * Seconds for which the log of a stream without reader and writer is kept: before the stream has ended (up to a
   * tenth less in Redis), and after.
   */
  readonly keepOpen: number;
  readonly keepOver: number;
  /**
   * Maximum number of ended streams without a reader that are kept for each session, for a client that missed the
   * end. The oldest are dropped: a client with many calls must not fill the memory.
   */
  readonly over: number;
  /**
   * Maximum bytes of kept events: of one session, of one person, and of all. To make space, the log first drops
   * ended streams without a reader, of the same session or person or of the person with most bytes, then events
   * that were already sent to a reader.
   */
  readonly sessionBytes: number;
  readonly personBytes: number;
  readonly totalBytes: number;
}

/** Bytes that a session may keep even when the budget of its person or of the server is used up. */
export const GUARANTEED_BYTES = 65_536;

/** Messages between replicas. */
export type BusMessage =
  /** The log has new events for a connection of the receiver. */
  | { readonly kind: 'wake'; readonly session: string; readonly stream: string }
  /** Another connection reads that stream now. */
  | { readonly kind: 'taken'; readonly session: string; readonly stream: string; readonly connection: string }
  /** A client's response to a request of the receiver. */
  | { readonly kind: 'response'; readonly session: string; readonly message: unknown }
  | { readonly kind: 'cancelled'; readonly session: string; readonly message: unknown }
  /** The session's record has changed. */
  | { readonly kind: 'altered'; readonly session: string }
  | { readonly kind: 'ended'; readonly session: string }
  | { readonly kind: 'changed'; readonly change: string; readonly version: number };

export interface MessageBus {
  /** The name of this replica: short, without a dot, new at each start. */
  readonly replica: string;
  /** @returns false when that replica is lost */
  send(replica: string, message: BusMessage): Promise<boolean>;
  /** Sends to all other replicas. A replica that is disconnected at that moment misses the message. */
  broadcast(message: BusMessage): Promise<void>;
  /**
   * Whether the replica is alive. A replica that is disconnected for seconds still is; one that is not alive never
   * returns.
   */
  isAlive(replica: string): Promise<boolean>;
  /** Whether a replica would receive a message now, or in a moment. */
  isListening(replica: string): Promise<boolean>;
  /**
   * @param onMessage for each message that arrives; messages to one replica and to all may overtake each other
   * @param onReturn after a disconnection in which messages may have been lost
   */
  subscribe(onMessage: (message: BusMessage) => void, onReturn: () => void): void;
  close(): Promise<void>;
}

interface NumberedChange {
  readonly change: string;
  readonly version: number;
}

/** Numbers the changes of what the server offers, for clients that were disconnected. */
export interface ChangeLog {
  /** @returns the number of this change */
  record(change: string): Promise<number>;
  /**
   * The changes after that number in order, each once with its latest number; only the most recent ones if there
   * are very many.
   */
  since(version: number): Promise<{ readonly version: number; readonly changes: readonly NumberedChange[] }>;
}

export interface SessionStorage {
  readonly store: SessionStore;
  readonly log: EventLog;
  readonly bus: MessageBus;
  readonly changes: ChangeLog;
}
