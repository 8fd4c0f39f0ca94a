/** Owns one HTTP exchange of a model run from the server's side; written data is in transit, and may never arrive. */
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Condition } from './network.ts';
import type { Schedule } from './schedule.ts';

export interface Question {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly message?: unknown;
}

/** The client's handlers for what arrives. */
export interface Receiver {
  text(text: string): void;
  /** The connection has ended. */
  ended(): void;
}

export class Connection extends EventEmitter {
  readonly member: Condition;
  readonly question: Question;
  /** The server forgets the headers of a stream that stays open. */
  readonly req: IncomingMessage;
  /** Bytes that wait for the client. */
  writableLength = 0;
  /** Data that was handed over, whether or not it arrives. */
  readonly written: string[] = [];
  status = 0;
  headersSent = false;
  writableEnded = false;
  destroyed = false;
  readonly #schedule: Schedule;
  readonly #receiver: Receiver;
  readonly #lane: string;
  /** The client has disconnected. */
  #abandoned = false;

  constructor(parts: {
    schedule: Schedule;
    member: Condition;
    question: Question;
    receiver: Receiver;
    number: number;
  }) {
    super();
    this.member = parts.member;
    this.question = parts.question;
    this.req = { ...parts.question } as unknown as IncomingMessage;
    this.#schedule = parts.schedule;
    this.#receiver = parts.receiver;
    this.#lane = `connection ${parts.number}`;
  }

  get res(): ServerResponse {
    return this as unknown as ServerResponse;
  }

  /** Whether the server considers it open. */
  get open(): boolean {
    return this.headersSent && !this.writableEnded && !this.destroyed && !this.member.dead;
  }

  /** The client stops reading and stays connected. */
  stall(): void {
    this.writableLength = Number.MAX_SAFE_INTEGER;
  }

  /** The client disconnects; the server notices it later, or never. */
  abandon(noticed: boolean): void {
    this.#abandoned = true;
    if (noticed) this.#schedule.add(`${this.#lane} closes`, () => this.#close());
  }

  setHeader(): this {
    return this;
  }

  writeHead(status: number): this {
    this.status = status;
    this.headersSent = true;
    return this;
  }

  flushHeaders(): void {}

  write(text: string): boolean {
    for (const frame of text.split(/(?<=\n\n)/)) {
      this.written.push(frame);
      this.#travel(() => this.#receiver.text(frame));
    }
    return true;
  }

  end(text?: string): void {
    if (this.writableEnded) return;
    if (text) this.write(text);
    this.writableEnded = true;
    this.#travel(() => {
      this.#receiver.ended();
      this.#schedule.add(`${this.#lane} closes`, () => this.#close());
    });
  }

  destroy(): void {
    if (this.destroyed) return;
    this.#travel(() => this.#receiver.ended());
    this.destroyed = true;
    process.nextTick(() => this.emit('close'));
  }

  #travel(arrive: () => void): void {
    this.#schedule.add(this.#lane, () => {
      if (!this.#abandoned && !this.member.dead) arrive();
    });
  }

  #close(): void {
    if (this.destroyed || this.member.dead) return;
    this.destroyed = true;
    this.emit('close');
  }
}
