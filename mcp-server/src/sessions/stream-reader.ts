/**
 * Owns how one connection is fed from the log of its stream: everything after its cursor, in order, each event once. Whoever
 * wakes it only says that there may be something; a wake-up that is lost or comes twice changes nothing.
 */
import { type EventLog, StorageUnavailable, type StreamEvent, type StreamName } from './ports.ts';

/** The connection. */
export interface Sink {
  /** Whether the answers of running requests have no other way to the client than this. */
  readonly carriesAnswers?: boolean;
  /** @returns false when it takes neither this one nor any more */
  send(event: StreamEvent): boolean;
  keepAlive(): void;
  /** The stream is over, or another connection reads it. */
  end(): void;
}

/** Events read at a time. */
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

  /** Characters that have gone out since others have been told how far it is. */
  untold = 0;

  /** The last event that has gone out. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  /** Resolves when everything that was there has gone out, or can't now. */
  wake(): Promise<void> {
    this.#pending = true;
    this.#reading ??= this.#read();
    return this.#reading;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #read(): Promise<void> {
    try {
      while (this.#pending && !this.#stopped) {
        this.#pending = false;
        await this.#readPage();
      }
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
    } finally {
      // Here and nowhere later: who wakes after the last look at `pending` must start a new round.
      this.#reading = undefined;
    }
  }

  async #readPage(): Promise<void> {
    const events = await this.#log.read(this.#name, this.#cursor, PAGE);
    for (const event of events) {
      if (this.#stopped) return;
      const sent = this.#sink.send(event);
      if (sent) {
        this.#cursor = event.id;
        this.untold += event.data.length;
      }
      if (sent && !event.last) continue;
      this.stop();
      this.#sink.end();
    }
    if (events.length === PAGE) this.#pending = true;
  }
}
