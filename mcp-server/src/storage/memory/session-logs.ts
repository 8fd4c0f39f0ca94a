/** Owns the streams of one session in memory, and which of them go first to make room. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Reader, StreamEvent } from '../../sessions/ports.ts';
import type { Room, Tenant } from './room.ts';

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
  /** The last sequence of each producer. */
  readonly written: Map<string, number>;
  /** Milliseconds since the epoch. */
  expires: number;
}

export class SessionLogs implements Tenant {
  readonly person: string;
  bytes = 0;
  readonly streams = new Map<string, Log>();
  /** Those that are over and that nobody reads: first those that a connection has taken to their end, then the oldest. */
  readonly over = new Set<string>();
  readonly #room: Room;
  readonly #clock: Clock;

  constructor(person: string, room: Room, clock: Clock) {
    this.person = person;
    this.#room = room;
    this.#clock = clock;
  }

  open(stream: string): Log {
    const known = this.streams.get(stream);
    if (known) return known;
    this.#dropExpired();
    const log = { events: [], bytes: 0, top: 0, over: false, written: new Map(), pendingRequests: new Map(), expires: 0 };
    this.streams.set(stream, log);
    return log;
  }

  shed(most: number): void {
    this.#dropExpired();
    for (const stream of this.over) {
      if (this.bytes <= most) return;
      this.drop(stream);
    }
  }

  /** A stream may have ended, or lost its reader. @param most streams like that */
  retire(stream: string, most: number): void {
    const log = this.streams.get(stream);
    if (!log?.over || log.reader) return;
    const others = [...this.over].filter((other) => other !== stream);
    this.over.clear();
    const order = isHanded(log) ? [stream, ...others] : [...others, stream];
    for (const name of order) this.over.add(name);
    const [oldest] = this.over;
    if (this.over.size > most && oldest !== undefined) this.drop(oldest);
  }

  /** Drops of a stream what its reader has been handed, until so many bytes are left. @returns whether that was enough */
  dropHanded(log: Log, most: number): boolean {
    this.dropEvents(log, ({ id }) => this.bytes > most && numberOf(id) <= numberOf(log.cursor));
    return this.bytes <= most;
  }

  /** Drops the oldest events of a stream as far as they are such ones. */
  dropEvents(log: Log, isGone: (event: StreamEvent) => boolean): void {
    for (let [first] = log.events; first && isGone(first); [first] = log.events) {
      log.events.shift();
      const size = Buffer.byteLength(first.data);
      log.bytes -= size;
      this.#room.take(this, -size);
    }
  }

  drop(stream: string): void {
    this.#room.take(this, -(this.streams.get(stream)?.bytes ?? 0));
    this.streams.delete(stream);
    this.over.delete(stream);
  }

  #dropExpired(): void {
    const now = this.#clock.now();
    for (const [stream, { expires, reader }] of this.streams) if (!reader && expires <= now) this.drop(stream);
  }
}

const isHanded = ({ events, cursor }: Log): boolean => cursor !== undefined && cursor === events.at(-1)?.id;

export const numberOf = (id: string | undefined): number => Number(id?.split('-')[0] ?? 0) || 0;
