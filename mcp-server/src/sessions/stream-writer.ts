/**
 * Owns the appending of events to the log of a stream: in order, retried while the store is unavailable, and with a
 * wake-up for the reader on any replica.
 */
import {
  type Append,
  type Appended,
  type EventLog,
  type ExhaustedBudget,
  type MessageBus,
  type Reader,
  type Soon,
  StorageFault,
  StorageUnavailable,
  type StreamName,
} from './ports.ts';
import type { NextEvent } from './stream-reader.ts';

/**
 * `unread`: the event is in the log, and no connection reads it now. `over`: the session or the stream has ended.
 * `lost`: the event is not in the log, as the store was unavailable for too long. `full`: the event is not in the
 * log, as no space is left; for an answer, the log has an error instead.
 */
export type Written = 'read' | 'unread' | 'over' | 'lost' | 'full';

export interface WriterDependencies {
  readonly log: Pick<EventLog, 'append'>;
  readonly bus: Pick<MessageBus, 'replica' | 'send'>;
  readonly producer: string;
  /** The position of a reader of this replica that can get the next event without reading the log. */
  readonly position: (name: StreamName) => string | undefined;
  /** Wakes a reader of this replica. @param next the event, if it follows that position directly */
  readonly wake: (name: StreamName, next: NextEvent | undefined) => void;
  /** The next sequence number of this producer, for any stream. */
  readonly next: () => number;
  /** Called with 1 when an append begins, and with -1 when it has ended. */
  readonly onWay: (change: 1 | -1) => void;
  /** The event to write instead of one that does not fit; nothing when no client waits for it. */
  readonly instead?: ((data: string, full: ExhaustedBudget) => string | undefined) | undefined;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number) => Promise<void>;
}

export interface NewEvent {
  readonly data: string;
  readonly last?: boolean;
  readonly changes?: number;
}

/** Maximum attempts for an event, and milliseconds between them: about half a minute in total. */
const ATTEMPTS = 40;
const PAUSE = 750;

export class StreamWriter {
  readonly #dependencies: WriterDependencies;
  readonly #name: StreamName;
  readonly #requests: string | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @param requests ids of the requests that the stream answers, as JSON text */
  constructor(dependencies: WriterDependencies, name: StreamName, requests?: string) {
    this.#dependencies = dependencies;
    this.#name = name;
    this.#requests = requests;
  }

  /** Number of events that are not in the log yet. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Answers in this turn if the log does, and nothing waits before. */
  append(entry: NewEvent): Soon<Written> {
    if (this.#waiting > 0) return this.#counted(this.#tail.then(() => this.#write(entry)));
    const written = this.#write(entry);
    return written instanceof Promise ? this.#counted(written) : written;
  }

  /** Counts an event until it is in the log. */
  #counted(written: Promise<Written>): Promise<Written> {
    this.#waiting += 1;
    this.#dependencies.onWay(1);
    const counted = written.finally(() => {
      this.#waiting -= 1;
      this.#dependencies.onWay(-1);
    });
    this.#tail = counted.catch(() => {});
    return counted;
  }

  #write({ data, last, changes }: NewEvent): Soon<Written> {
    const { producer, next, position } = this.#dependencies;
    // Notifications of changes are short, and must not be dropped.
    const forced = changes !== undefined;
    const after = position(this.#name);
    return this.#put({ data, last, changes, requests: this.#requests, forced, after, producer, sequence: next() });
  }

  #put(event: Append): Soon<Written> {
    const appended = this.#dependencies.log.append(this.#name, event);
    return appended instanceof Promise ? this.#try(event, appended) : this.#settle(event, appended);
  }

  async #try(event: Append, first: Promise<Appended | undefined>): Promise<Written> {
    let appending: Soon<Appended | undefined> = first;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      try {
        return await this.#settle(event, await appending);
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error;
        if (error instanceof StorageFault) return 'lost';
        await this.#dependencies.pause(PAUSE);
        if (attempt < ATTEMPTS) appending = this.#dependencies.log.append(this.#name, event);
      }
    }
    return 'lost';
  }

  #settle(event: Append, appended: Appended | undefined): Soon<Written> {
    if (!appended) return 'over';
    if ('full' in appended) return this.#replace(event, appended.full);
    const { reader, id } = appended;
    const { after, data, last = false } = event;
    const next = id === undefined || after === undefined ? undefined : { after, event: { id, data, last } };
    return this.#wake(reader, next);
  }

  async #replace(event: Append, full: ExhaustedBudget): Promise<Written> {
    const { instead, next } = this.#dependencies;
    const data = instead?.(event.data, full);
    if (data === undefined || event.forced) return 'full';
    await this.#put({ ...event, data, forced: true, sequence: next() });
    return 'full';
  }

  #wake(reader: Reader | undefined, next: NextEvent | undefined): Soon<Written> {
    const { bus, wake } = this.#dependencies;
    if (!reader) return 'unread';
    if (reader.replica === bus.replica) {
      wake(this.#name, next);
      return 'read';
    }
    // If the wake-up can't be sent, the reader finds the event with its next periodic check.
    const sent = bus.send(reader.replica, { kind: 'wake', ...this.#name }).catch(() => true);
    return sent.then((delivered) => (delivered ? 'read' : 'unread'));
  }
}
