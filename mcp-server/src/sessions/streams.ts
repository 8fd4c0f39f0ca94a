/**
 * Owns the streams that this replica reads or writes: who reads which, who is woken, and what becomes of a stream whose
 * writer is gone (a stream is a log with a reader; MCP 2025-11-25 "Resumability and Redelivery").
 */
import { lostAnswers } from './lost-call.ts';
import type { EventLog, MessageBus, Reader, StreamName } from './ports.ts';
import { type Sink, StreamReader } from './stream-reader.ts';
import { type Entry, StreamWriter, type WriterDependencies, type Written } from './stream-writer.ts';

/** The stream of a session that belongs to no request; over HTTP+SSE, the only one. */
export const STANDALONE = 'standalone';

/** A connection that reads a stream. */
export class Attachment<S extends Sink = Sink> {
  readonly name: StreamName;
  readonly as: Reader;
  readonly sink: S;
  readonly reader: StreamReader;
  /** Up to which change the client has been told; only known on standalone streams. */
  changes: number | undefined;

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

  /** How far it is, for a connection that comes after it. */
  get progress(): { cursor?: string; changes?: number } {
    const { cursor } = this.reader;
    return { ...(cursor !== undefined && { cursor }), ...(this.changes !== undefined && { changes: this.changes }) };
  }
}

export interface StreamsDependencies extends Pick<WriterDependencies, 'pause' | 'instead'> {
  readonly log: EventLog;
  readonly bus: MessageBus;
}

/**
 * Producer of the answers for lost requests, the same on every replica: when two replicas answer for a lost one, the log keeps each
 * answer once. Stored in Redis: replicas of an older version use the same name.
 */
const LOST_REPLICA_PRODUCER = 'undertaker';

/** Longer than any log is. */
const EVERYTHING = 1_000_000;

/** Characters after which it is noted that a reader has them: where there is no room, they go. */
const NOTED = 65_536;

const keyOf = ({ session, stream }: StreamName): string => `${session} ${stream}`;

export class Streams {
  readonly #log: EventLog;
  readonly #bus: MessageBus;
  readonly #attached = new Map<string, Attachment>();
  /** Connections that take a stream at this moment, less those from which it has been taken already. */
  readonly #taking = new Set<string>();
  readonly #standalone = new Map<string, StreamWriter>();
  readonly #writing: WriterDependencies;
  #sequence = 0;
  #pending = 0;
  #connections = 0;
  #names = 0;

  constructor({ log, bus, pause, instead }: StreamsDependencies) {
    this.#log = log;
    this.#bus = bus;
    const next = () => {
      this.#sequence += 1;
      return this.#sequence;
    };
    const onWay = (change: 1 | -1) => {
      this.#pending += change;
    };
    this.#writing = {
      log,
      bus,
      pause,
      instead,
      producer: bus.replica,
      next,
      onWay,
      wake: (name) => void this.wake(name),
    };
  }

  /** Events on their way to a log. */
  get pending(): number {
    return this.#pending;
  }

  /** What is open here. */
  all(): readonly Attachment[] {
    return [...this.#attached.values()];
  }

  /** For what answers requests that run here: the name says where. */
  newName(session: string): StreamName {
    this.#names += 1;
    return { session, stream: `${this.#bus.replica}.${this.#names}` };
  }

  /** Whether a stream answers requests that run here. */
  isOwn({ stream }: StreamName): boolean {
    return stream.startsWith(`${this.#bus.replica}.`);
  }

  /** @param requests ids of what the stream is to answer, as JSON text */
  writer(name: StreamName, requests: string): StreamWriter {
    return new StreamWriter(this.#writing, name, requests);
  }

  /** Adds to the standalone stream of a session, whoever reads it. */
  async announce(session: string, entry: Entry): Promise<Written> {
    // One writer for all that is said here: what two of them tried at a time could not be told apart when tried again.
    const writer = this.#standalone.get(session) ?? new StreamWriter(this.#writing, { session, stream: STANDALONE });
    this.#standalone.set(session, writer);
    const written = await writer.append(entry);
    if (writer.waiting === 0) this.#standalone.delete(session);
    return written;
  }

  /**
   * Makes a connection the one that reads a stream; whoever read it before is let go. It reads nothing before it is woken.
   * @param connect runs once the stream is this connection's, and gets after which event it will be read; `detach` is for
   *   when it closes
   * @param after the last event that the client has; absent: whatever no connection has got
   * @returns nothing when the session is over
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
    if (taken.previous) this.#letGo(name, taken.previous);
    if (after !== undefined) void this.#log.acknowledge(name, after).catch(() => {});
    const attachment: Attachment<S> = new Attachment(
      { name, as, changes: taken.changes, after: after ?? taken.cursor },
      // Later, as a client that has gone in the meantime closes before there is anything to detach.
      (from) => connect(() => queueMicrotask(() => void this.#detach(attachment)), from),
      (sink, from) => new StreamReader(this.#log, name, sink, from),
    );
    // The one before may have been let go by word of another replica, and the word be late.
    const former = this.#attached.get(keyOf(name));
    if (former) this.#end(former);
    this.#attached.set(keyOf(name), attachment);
    if (!mine) this.#end(attachment);
    return attachment;
  }

  /** The log may have something new. Resolves when it has gone out, if the stream is read here. */
  async wake(name: StreamName): Promise<void> {
    const attachment = this.#attached.get(keyOf(name));
    if (attachment) await this.#feed(attachment);
  }

  /** The client has read a stream to its end, and nobody will come back to it. */
  discard({ name, as }: Pick<Attachment, 'name' | 'as'>): void {
    // Should it fail, the stream goes when its time is over.
    void this.#log.discard(name, as).catch(() => {});
  }

  /** Whether a stream can still be come back to. */
  async isKept(name: StreamName): Promise<boolean> {
    return (await this.#log.state(name)) !== undefined;
  }

  /** Whether what is said on a stream now reaches somebody, wherever that is. */
  async isHeard(name: StreamName): Promise<boolean> {
    if (this.#attached.has(keyOf(name))) return true;
    const state = await this.#log.state(name);
    return state?.reader !== undefined && this.#bus.isListening(state.reader.replica);
  }

  /** Wake-ups may have got lost. */
  wakeAll(): void {
    for (const attachment of this.all()) void this.#feed(attachment);
  }

  /** Another connection reads the stream now. */
  taken(name: StreamName, connection: string): void {
    this.#taking.delete(connection);
    const attachment = this.#attached.get(keyOf(name));
    if (attachment?.as.connection === connection) this.#end(attachment);
  }

  /** Keeps the claim of an open stream, and notes how far it is. @returns false when another connection has it now */
  async keep(attachment: Attachment): Promise<boolean> {
    const mine = await this.#log.renew(attachment.name, attachment.as, attachment.progress);
    if (!mine) this.#end(attachment);
    return mine;
  }

  /** Keeps the claim, and looks for what nobody said. */
  async renew(attachment: Attachment): Promise<void> {
    if (await this.keep(attachment)) await this.#feed(attachment);
  }

  /** Answers the requests of lost replicas, each on its own stream. */
  async answerForLostReplicas(): Promise<void> {
    for (const { name } of this.all()) {
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

  /** The session is over. */
  end(session: string): void {
    this.#standalone.delete(session);
    for (const attachment of this.all()) if (attachment.name.session === session) this.#end(attachment);
  }

  /** Closes a connection, whose client may come back for the rest. */
  close(attachment: Attachment): void {
    void this.release(attachment);
  }

  /** The same. Resolves when others can know that nobody reads the stream. */
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

  async #feed({ name, as, reader }: Attachment): Promise<void> {
    const before = reader.cursor;
    await reader.wake();
    const { cursor } = reader;
    const isNews = name.stream === STANDALONE ? cursor !== before : reader.untold >= NOTED;
    if (cursor === undefined || !isNews) return;
    reader.untold = 0;
    // Should it fail, a client that comes back without a Last-Event-ID may get an event twice.
    await this.#log.renew(name, as, { cursor }).catch(() => {});
  }

  #letGo(name: StreamName, previous: Reader): void {
    if (previous.replica === this.#bus.replica) this.taken(name, previous.connection);
    else this.#bus.send(previous.replica, { kind: 'taken', ...name, connection: previous.connection }).catch(() => {});
  }

  #end(attachment: Attachment): void {
    attachment.reader.stop();
    this.#remove(attachment);
    attachment.sink.end();
  }

  async #detach(attachment: Attachment): Promise<void> {
    const { name, as, reader, progress } = attachment;
    reader.stop();
    this.#remove(attachment);
    try {
      await this.#log.renew(name, as, progress);
      await this.#log.release(name, as);
    } catch {
      // The store is away: the claim runs out by itself.
    }
  }

  #remove(attachment: Attachment): void {
    const key = keyOf(attachment.name);
    if (this.#attached.get(key) === attachment) this.#attached.delete(key);
  }
}
