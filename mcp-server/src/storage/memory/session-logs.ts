/** Owns the streams of one session in memory, and the order in which they are dropped to make space. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import type { Reader, StreamEvent } from '../../sessions/ports.ts';
import type { BudgetHolder, ByteBudgets } from './byte-budgets.ts';

export interface Log {
  readonly events: StreamEvent[];
  bytes: number;
  /** Number of the newest event. */
  top: number;
  reader?: Reader;
  cursor?: string;
  changes?: number;
  requests?: string;
  readonly pendingRequests: Map<string, string>;
  over: boolean;
  /** The last sequence number of each producer. */
  readonly written: Map<string, number>;
  /** Milliseconds since the epoch. */
  expires: number;
}

/** Minimum milliseconds between two searches for expired streams while there is space. */
const PACE = 1_000;

export class SessionLogs implements BudgetHolder {
  readonly person: string;
  bytes = 0;
  readonly streams = new TransientMap<string, Log>();
  /** Ended streams without a reader, oldest first: those that a connection has read completely, and the others. */
  readonly #read = new Set<string>();
  readonly #unread = new Set<string>();
  /** Time of the next search for expired streams, in milliseconds since the epoch. */
  #sweep = 0;
  readonly #budgets: ByteBudgets;
  readonly #clock: Clock;

  constructor(person: string, budgets: ByteBudgets, clock: Clock) {
    this.person = person;
    this.#budgets = budgets;
    this.#clock = clock;
  }

  open(stream: string): Log {
    const known = this.streams.get(stream);
    if (known) return known;
    if (this.#clock.now() >= this.#sweep) this.#dropExpired();
    const log = {
      events: [],
      bytes: 0,
      top: 0,
      over: false,
      written: new Map(),
      pendingRequests: new Map(),
      expires: 0,
    };
    this.streams.set(stream, log);
    return log;
  }

  shed(most: number): void {
    this.#dropExpired();
    for (const streams of [this.#read, this.#unread]) {
      for (const stream of streams) {
        if (this.bytes <= most) return;
        this.drop(stream);
      }
    }
  }

  /** Called when a stream has a reader again. */
  use(stream: string): void {
    this.#read.delete(stream);
    this.#unread.delete(stream);
  }

  /**
   * Called when a stream may have ended, or lost its reader.
   * @param most maximum number of ended streams without a reader
   */
  retire(stream: string, most: number): void {
    const log = this.streams.get(stream);
    if (!log?.over || log.reader) return;
    this.use(stream);
    (isHanded(log) ? this.#read : this.#unread).add(stream);
    if (this.#read.size + this.#unread.size <= most) return;
    const [oldest] = this.#read.size > 0 ? this.#read : this.#unread;
    if (oldest !== undefined) this.drop(oldest);
  }

  /**
   * Drops events that were already sent to the reader, until no more than `most` bytes are left.
   * @returns whether that was enough
   */
  dropHanded(log: Log, most: number): boolean {
    this.dropEvents(log, ({ id }) => this.bytes > most && numberOf(id) <= numberOf(log.cursor));
    return this.bytes <= most;
  }

  /** Drops events from the oldest one, until `isGone` is false for one. */
  dropEvents(log: Log, isGone: (event: StreamEvent) => boolean): void {
    for (let [first] = log.events; first && isGone(first); [first] = log.events) {
      log.events.shift();
      const size = Buffer.byteLength(first.data);
      log.bytes -= size;
      this.#budgets.take(this, -size);
    }
  }

  drop(stream: string): void {
    this.#budgets.take(this, -(this.streams.get(stream)?.bytes ?? 0));
    this.streams.delete(stream);
    this.use(stream);
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    this.#sweep = now + PACE;
    for (const [stream, { expires, reader }] of this.streams) if (!reader && expires <= now) this.drop(stream);
  }
}

const isHanded = ({ events, cursor }: Log): boolean => cursor !== undefined && cursor === events.at(-1)?.id;

/** The digits before the hyphen. */
export const numberOf = (id: string | undefined): number => Number.parseInt(id ?? '', 10) || 0;
