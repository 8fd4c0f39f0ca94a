/**
 * Owns the connection that reads a stream, and the delivery of the log to it: every event after its cursor, in order, each once. A
 * wake-up only means that there may be new events, so a lost or repeated wake-up does no harm.
 */
import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import type { Referring } from '../authorization/status/reference.ts';
import {
  type EventLog,
  type Progress,
  type Reader,
  type Soon,
  START,
  StorageUnavailable,
  type StreamEvent,
  type StreamName,
} from './ports.ts';

/** The connection that events are sent to. */
export interface Sink {
  /** Whether this is the only way for the answers of running requests to reach the client. */
  readonly carriesAnswers?: boolean;
  /** Who opened the connection: it ends with their token if that is revoked, though the session may go on. */
  readonly opener?: Referring;
  /** For a last message that is not in the log: it has no event id, so no client can resume after it. */
  readonly response?: { send(frame: { readonly data: string }): boolean };
  /** @returns false when the connection accepts neither this event nor any later one */
  send(event: StreamEvent): boolean;
  keepAlive(): void;
  /** The stream has ended, or another connection reads it. */
  end(): void;
}

/** An event that comes directly after a position of its log. */
export interface NextEvent {
  readonly after: string;
  readonly event: StreamEvent;
}

/** Maximum number of events of one read. */
const PAGE = 100;

export class StreamReader {
  readonly #log: Pick<EventLog, 'read'>;
  readonly #name: StreamName;
  readonly #sink: Sink;
  #cursor: string | undefined;
  #pending = false;
  #reading: Promise<void> | undefined;
  #stopped = false;

  constructor(log: Pick<EventLog, 'read'>, name: StreamName, sink: Sink, after: string | undefined) {
    this.#log = log;
    this.#name = name;
    this.#sink = sink;
    this.#cursor = after;
  }

  /** Characters sent since the cursor was last stored in the log. */
  unstored = 0;

  /** The last event that was sent. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** The position after which an event can be sent without a read; nothing while a read is under way or due. */
  get position(): string | undefined {
    return this.#pending || this.#reading || this.#stopped ? undefined : (this.#cursor ?? START);
  }

  /** Sends an event that is in the log; reads the log if something else was sent, or is being read. */
  pass({ after, event }: NextEvent): Soon<void> {
    if (this.position !== after) return this.wake();
    return this.#deliver([event]);
  }

  /** Ends when all events in the log were sent, or can't be sent now: in this turn if the log answers at once. */
  wake(): Soon<void> {
    this.#pending = true;
    return this.#reading ?? this.#readNow();
  }

  stop(): void {
    this.#stopped = true;
  }

  #readNow(): Soon<void> {
    while (this.#pending && !this.#stopped) {
      const events = this.#read();
      if (events instanceof Promise) {
        this.#reading = this.#readOn(events);
        return this.#reading;
      }
      this.#deliver(events);
    }
  }

  async #readOn(first: Promise<readonly StreamEvent[]>): Promise<void> {
    try {
      this.#deliver(await first);
      while (this.#pending && !this.#stopped) this.#deliver(await this.#read());
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    } finally {
      // Must be cleared here: a wake-up after the last check of `pending` has to start a new read.
      this.#reading = undefined;
    }
  }

  #read(): Soon<readonly StreamEvent[]> {
    this.#pending = false;
    return this.#log.read(this.#name, this.#cursor, PAGE);
  }

  #deliver(events: readonly StreamEvent[]): void {
    for (const event of events) {
      if (this.#stopped) return;
      const sent = this.#sink.send(event);
      if (sent) {
        this.#cursor = event.id;
        this.unstored += event.data.length;
      }
      if (sent && !event.last) continue;
      this.stop();
      this.#sink.end();
    }
    if (events.length === PAGE) this.#pending = true;
  }
}

/** A connection that reads a stream. */
export class Attachment<S extends Sink = Sink> {
  readonly name: StreamName;
  readonly as: Reader;
  readonly sink: S;
  readonly reader: StreamReader;
  /** The number of the latest change that the client was told; only known on standalone streams. */
  changes: number | undefined;
  /** Resolves when the changes so far have been delivered to it. */
  delivered = Promise.resolve();

  constructor(
    { name, as, changes, after }: Pick<Attachment, 'name' | 'as' | 'changes'> & { readonly after: string | undefined },
    connect: (after: string | undefined) => S,
    read: (sink: S, after: string | undefined) => StreamReader,
  ) {
    this.name = name;
    this.as = as;
    this.changes = changes;
    this.sink = connect(after);
    this.reader = read(this.sink, after);
  }

  /** The progress of this reader, for the next connection. */
  get progress(): Progress {
    const { cursor } = this.reader;
    return { ...(cursor !== undefined && { cursor }), ...(this.changes !== undefined && { changes: this.changes }) };
  }
}

/** The connections of this replica that read streams, one for each stream. Whatever ends one session looks at its own only. */
export class Attachments {
  readonly #bySession = new TransientMap<string, readonly Attachment[]>();

  get({ session, stream }: StreamName): Attachment | undefined {
    return this.ofSession(session).find(({ name }) => name.stream === stream);
  }

  add(attachment: Attachment): void {
    const { session } = attachment.name;
    this.#bySession.set(session, [...this.ofSession(session), attachment]);
  }

  delete(attachment: Attachment): void {
    const { session } = attachment.name;
    const others = this.ofSession(session).filter((other) => other !== attachment);
    if (others.length > 0) this.#bySession.set(session, others);
    else this.#bySession.delete(session);
  }

  ofSession(session: string): readonly Attachment[] {
    return this.#bySession.get(session) ?? [];
  }

  all(): readonly Attachment[] {
    const all: Attachment[] = [];
    for (const attachments of this.#bySession.values()) for (const attachment of attachments) all.push(attachment);
    return all;
  }
}
