/**
 * Owns how events get into the log of a stream: one after the other, tried again while the store is away, and whoever reads
 * the stream is woken, wherever that is.
 */
import {
  type Append,
  type EventLog,
  type MessageBus,
  type NoRoom,
  type Reader,
  StorageUnavailable,
  type StreamName,
} from './ports.ts';

/** `full`: it is not in the log, as there is no room for it; an answer has another one in its place. `unread`: it is in the log, and nobody listens now. `lost`: it is not in the log, as the store was away for too long. */
export type Written = 'read' | 'unread' | 'over' | 'lost' | 'full';

export interface WriterDependencies {
  readonly log: Pick<EventLog, 'append'>;
  readonly bus: Pick<MessageBus, 'replica' | 'send'>;
  readonly producer: string;
  /** Wakes a reader of this replica. */
  readonly wake: (name: StreamName) => void;
  /** Numbers what this producer appends, to whatever stream. */
  readonly next: () => number;
  /** Told when an event begins its way to the log, and when it has ended. */
  readonly onWay: (change: 1 | -1) => void;
  /** What is said in place of an event that there is no room for; nothing when nobody waits for it. */
  readonly instead?: ((data: string, full: NoRoom) => string | undefined) | undefined;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

export interface Entry {
  readonly data: string;
  readonly last?: boolean;
  readonly changes?: number;
}

/** How often an event is tried, and the milliseconds in between: about half a minute in all. */
const ATTEMPTS = 40;
const PAUSE = 750;

export class StreamWriter {
  readonly #dependencies: WriterDependencies;
  readonly #name: StreamName;
  readonly #requests: string | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param requests ids of the requests that the stream is to answer, as text */
  constructor(dependencies: WriterDependencies, name: StreamName, requests?: string) {
    this.#dependencies = dependencies;
    this.#name = name;
    this.#requests = requests;
  }

  /** Events on their way to the log. */
  get waiting(): number {
    return this.#waiting;
  }

  append(entry: Entry): Promise<Written> {
    this.#waiting += 1;
    this.#dependencies.onWay(1);
    const written = this.#tail
      .then(() => this.#write(entry))
      .finally(() => {
        this.#waiting -= 1;
        this.#dependencies.onWay(-1);
      });
    this.#tail = written.catch(() => {});
    return written;
  }

  async #write(entry: Entry): Promise<Written> {
    const { producer, next } = this.#dependencies;
    const requests = this.#requests !== undefined && { requests: this.#requests };
    // What has changed is said in few words, and must not be left out.
    const forced = entry.changes !== undefined && { forced: true };
    return this.#try({ ...entry, ...requests, ...forced, producer, sequence: next() });
  }

  async #try(event: Append): Promise<Written> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        const appended = await this.#dependencies.log.append(this.#name, event);
        if (!appended) return 'over';
        return 'full' in appended ? await this.#replace(event, appended.full) : await this.#wake(appended.reader);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        await this.#dependencies.pause(PAUSE);
      }
    }
    return 'lost';
  }

  async #replace(event: Append, full: NoRoom): Promise<Written> {
    const { instead, next } = this.#dependencies;
    const data = instead?.(event.data, full);
    if (data === undefined || event.forced) return 'full';
    await this.#try({ ...event, data, forced: true, sequence: next() });
    return 'full';
  }

  async #wake(reader: Reader | undefined): Promise<Written> {
    const { bus, wake } = this.#dependencies;
    if (!reader) return 'unread';
    if (reader.replica === bus.replica) {
      wake(this.#name);
      return 'read';
    }
    // A wake-up that can't be sent is made up for by the reader's own look, which it takes from time to time.
    const heard = await bus.send(reader.replica, { kind: 'wake', ...this.#name }).catch(() => true);
    return heard ? 'read' : 'unread';
  }
}
