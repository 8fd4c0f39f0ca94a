/**
 * Owns the streams that this replica reads or writes: their readers, wake-ups, and the answers for requests of lost
 * replicas. A stream is a log with a reader (MCP 2025-11-25 "Resumability and Redelivery").
 */
import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import { lostAnswers } from './lost-call.ts';
import { type EventLog, type MessageBus, type Reader, type Soon, type StreamName, soon } from './ports.ts';
import { Attachment, Attachments, type NextEvent, type Sink, StreamReader } from './stream-reader.ts';
import { type NewEvent, StreamWriter, type WriterDependencies, type Written } from './stream-writer.ts';

/** The stream of a session that belongs to no request; over HTTP+SSE, the only stream. */
export const STANDALONE = 'standalone';

export interface StreamsDependencies extends Pick<WriterDependencies, 'pause' | 'instead'> {
  readonly log: EventLog;
  readonly bus: MessageBus;
  /** Called with the error of work that nobody waits for. */
  readonly onFailure: (error: unknown) => void;
}

/** Producer of the answers for lost replicas, stored in Redis: the same on all replicas, so the log keeps one answer. */
const LOST_REPLICA_PRODUCER = 'undertaker';

/** More events than any log has. */
const EVERYTHING = 1_000_000;

/** Characters after which the cursor of a reader is stored: events before the cursor can be dropped to make space. */
const NOTED = 65_536;

const nothing = (): void => {};

export class Streams {
  readonly #log: EventLog;
  readonly #bus: MessageBus;
  readonly #onFailure: (error: unknown) => void;
  readonly #attached = new Attachments();
  /** Connections that are becoming the reader of a stream, without those that another connection has replaced since. */
  readonly #taking = new Set<string>();
  readonly #standalone = new TransientMap<string, StreamWriter>();
  readonly #writing: WriterDependencies;
  #sequence = 0;
  #pending = 0;
  #connections = 0;
  #names = 0;

  constructor({ log, bus, pause, instead, onFailure }: StreamsDependencies) {
    this.#log = log;
    this.#bus = bus;
    this.#onFailure = onFailure;
    const next = () => {
      this.#sequence += 1;
      return this.#sequence;
    };
    const onWay = (change: 1 | -1) => {
      this.#pending += change;
    };
    const position = (name: StreamName) => this.reading(name)?.reader.position;
    const wake = (name: StreamName, event: NextEvent | undefined) =>
      Promise.resolve(event ? this.#pass(name, event) : this.wake(name)).catch(onFailure);
    this.#writing = { log, bus, pause, instead, producer: bus.replica, next, onWay, position, wake };
  }

  /** Number of events that are not in a log yet. */
  get pending(): number {
    return this.#pending;
  }

  /** The streams that connections of this replica read. */
  all(): readonly Attachment[] {
    return this.#attached.all();
  }

  /** The connection of this replica that reads a stream. */
  reading(name: StreamName): Attachment | undefined {
    return this.#attached.get(name);
  }

  /** A name for a stream that answers requests running here. It starts with the name of this replica. */
  newName(session: string): StreamName {
    this.#names += 1;
    return { session, stream: `${this.#bus.replica}.${this.#names}` };
  }

  /** Whether a stream answers requests that run here. */
  isOwn({ stream }: StreamName): boolean {
    return stream.startsWith(`${this.#bus.replica}.`);
  }

  /** @param requests ids of the requests that the stream answers, as JSON text */
  writer(name: StreamName, requests: string): StreamWriter {
    return new StreamWriter(this.#writing, name, requests);
  }

  /** Appends to the standalone stream of a session, whichever replica reads it. */
  async announce(session: string, entry: NewEvent): Promise<Written> {
    // One writer for all events of this replica: with two, the log could not recognize a retry.
    const writer = this.#standalone.get(session) ?? new StreamWriter(this.#writing, { session, stream: STANDALONE });
    this.#standalone.set(session, writer);
    const written = await writer.append(entry);
    if (writer.waiting === 0) this.#standalone.delete(session);
    return written;
  }

  /**
   * Makes a connection the reader of a stream, idle until it is woken, and detaches the previous reader.
   * @param connect runs once the connection is the reader, with the event after which it reads; calls `detach` on close
   * @param after the last event that the client has; absent: read every event that no connection has received
   * @returns nothing when the session has ended
   */
  async attach<S extends Sink>(
    name: StreamName,
    connect: (detach: () => void, after: string | undefined) => S,
    after?: string,
  ): Promise<Attachment<S> | undefined> {
    this.#connections += 1;
    const as = { replica: this.#bus.replica, connection: String(this.#connections) };
    let mine = true;
    this.#taking.add(as.connection);
    const taken = await this.#log.take(name, as).finally(() => {
      mine = this.#taking.delete(as.connection);
    });
    if (!taken) return undefined;
    if (taken.previous) this.#detachPrevious(name, taken.previous);
    if (after !== undefined) this.#log.acknowledge(name, after).catch(() => {});
    const attachment: Attachment<S> = new Attachment(
      { name, as, changes: taken.changes, after: after ?? taken.cursor },
      // Deferred: a client that has already disconnected closes before the attachment exists.
      (from) => connect(() => queueMicrotask(() => this.close(attachment)), from),
      (sink, from) => new StreamReader(this.#log, name, sink, from),
    );
    // Another replica may have replaced the previous reader, and its message may not have arrived yet.
    const former = this.#attached.get(name);
    if (former) this.#end(former);
    this.#attached.add(attachment);
    if (!mine) this.#end(attachment);
    return attachment;
  }

  /** The log may have new events. Ends when they were sent, if a connection of this replica reads the stream. */
  wake(name: StreamName): Soon<void> {
    const attachment = this.reading(name);
    return attachment && this.#feed(attachment);
  }

  /** The client has received all of a finished stream, and will not resume it. */
  discard({ name, as }: Pick<Attachment, 'name' | 'as'>): void {
    // If this fails, the stream expires by itself.
    this.#log.discard(name, as).catch(() => {});
  }

  /** Whether a client can still resume the stream. */
  async isKept(name: StreamName): Promise<boolean> {
    return (await this.#log.state(name)) !== undefined;
  }

  /** Whether an event of the stream now reaches a client, through any replica. */
  async hasReader(name: StreamName): Promise<boolean> {
    if (this.#attached.get(name)) return true;
    const state = await this.#log.state(name);
    return state?.reader !== undefined && this.#bus.isListening(state.reader.replica);
  }

  /** Wake-ups may have been lost. */
  wakeAll(): void {
    for (const attachment of this.all()) Promise.resolve(this.#feed(attachment)).catch(this.#onFailure);
  }

  /** Another connection reads the stream now. */
  taken(name: StreamName, connection: string): void {
    this.#taking.delete(connection);
    const attachment = this.#attached.get(name);
    if (attachment?.as.connection === connection) this.#end(attachment);
  }

  /** Extends the claim on an open stream, and stores its progress. @returns false when another connection has it now */
  async keep(attachment: Attachment): Promise<boolean> {
    const mine = await this.#log.renew(attachment.name, attachment.as, attachment.progress);
    if (!mine) this.#end(attachment);
    return mine;
  }

  /** Extends the claim, and sends events whose wake-up was lost. */
  async renew(attachment: Attachment): Promise<void> {
    if (await this.keep(attachment)) await this.#feed(attachment);
  }

  /** Answers the requests of lost replicas, each on its own stream. */
  async answerForLostReplicas(): Promise<void> {
    for (const name of this.all().map((attachment) => attachment.name)) {
      const [replica = ''] = name.stream.split('.');
      if (name.stream === STANDALONE || replica === this.#bus.replica) continue;
      if (!(await this.#bus.isAlive(replica))) await this.#answerForLostReplica(name);
    }
  }

  /** Answers the requests of lost replicas on a stream that several replicas write to. */
  async answerForLostReplicasOn(name: StreamName): Promise<void> {
    for (const [replica, requests] of await this.#log.pendingRequests(name)) {
      if (replica === this.#bus.replica || (await this.#bus.isAlive(replica))) continue;
      for (const { place, data } of lostAnswers(requests, await this.#log.read(name, undefined, EVERYTHING))) {
        const producer = `${LOST_REPLICA_PRODUCER}.${replica}`;
        await new StreamWriter({ ...this.#writing, producer, next: () => place }, name).append({ data });
      }
      await this.#log.notePending(name, replica, '');
    }
  }

  /** The session has ended. */
  end(session: string): void {
    this.#standalone.delete(session);
    for (const attachment of this.#attached.ofSession(session)) this.#end(attachment);
  }

  /** Closes a connection; the client may reconnect and resume. */
  close(attachment: Attachment): void {
    this.release(attachment).catch(this.#onFailure);
  }

  /** Closes a connection. Resolves when other replicas can see that no connection reads the stream. */
  async release(attachment: Attachment): Promise<void> {
    attachment.sink.end();
    await this.#detach(attachment);
  }

  async #answerForLostReplica(name: StreamName): Promise<void> {
    const state = await this.#log.state(name);
    if (!state || state.over) return;
    const answers = lostAnswers(state.requests, await this.#log.read(name, undefined, EVERYTHING));
    for (const { place, data } of answers) {
      const last = place === answers.at(-1)?.place;
      const writer = new StreamWriter({ ...this.#writing, producer: LOST_REPLICA_PRODUCER, next: () => place }, name);
      await writer.append({ data, last });
    }
  }

  /** The log has an event that a reader of this replica may get without reading it. */
  #pass(name: StreamName, next: NextEvent): Soon<void> {
    const attachment = this.reading(name);
    return attachment && this.#feed(attachment, next);
  }

  #feed(attachment: Attachment, next?: NextEvent): Soon<void> {
    const { reader } = attachment;
    const before = reader.cursor;
    return soon(next ? reader.pass(next) : reader.wake(), () => this.#note(attachment, before));
  }

  /** Stores the progress of a reader when there is enough of it. */
  #note({ name, as, reader }: Attachment, before: string | undefined): Soon<void> {
    const { cursor } = reader;
    const isNews = name.stream === STANDALONE ? cursor !== before : reader.unstored >= NOTED;
    if (cursor === undefined || !isNews) return undefined;
    reader.unstored = 0;
    // If this fails, a client that reconnects without Last-Event-ID may get an event twice.
    return this.#log.renew(name, as, { cursor }).then(nothing, nothing);
  }

  #detachPrevious(name: StreamName, previous: Reader): void {
    if (previous.replica === this.#bus.replica) this.taken(name, previous.connection);
    else this.#bus.send(previous.replica, { kind: 'taken', ...name, connection: previous.connection }).catch(() => {});
  }

  #end(attachment: Attachment): void {
    attachment.reader.stop();
    this.#attached.delete(attachment);
    attachment.sink.end();
  }

  async #detach(attachment: Attachment): Promise<void> {
    const { name, as, reader, progress } = attachment;
    reader.stop();
    this.#attached.delete(attachment);
    try {
      await this.#log.release(name, as, progress);
    } catch {
      // The store is unavailable: the claim expires by itself.
    }
  }
}
