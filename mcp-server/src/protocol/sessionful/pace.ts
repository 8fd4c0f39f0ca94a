/**
 * Owns how fast the requests of one batch begin (JSON-RPC 2.0 §6, MCP 2025-03-26): only some run at a time, and none begins while
 * much of what was answered before has not been read. So a batch takes as much memory as a few of its answers.
 */
import type { ServerResponse } from 'node:http';

/** Requests of one batch that run at a time. */
const AT_A_TIME = 8;

/** Bytes of answers that may wait for the reader before the next request begins. */
const AHEAD = 262_144;

export class Pace {
  readonly #res: ServerResponse;
  #running = 0;
  /** Bytes that are on their way to the response. */
  #waiting = 0;
  #left = false;
  #watched = false;
  readonly #wakers = new Set<() => void>();

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Resolves when one request more may begin; nothing when it may at once. */
  room(): Promise<void> | undefined {
    if (!this.#isFree()) return this.#wait(() => this.#isFree()).then(() => this.#begin());
    this.#begin();
    return undefined;
  }

  /** A request has its answer, which is so many bytes long. */
  answered(bytes: number): void {
    this.#running -= 1;
    this.#waiting += bytes;
    this.#wake();
  }

  /** So many bytes are written to the response, or have another way. */
  written(bytes: number): void {
    this.#waiting -= bytes;
    this.#wake();
  }

  /** Resolves when the client has read what was written, or has gone. */
  async drained(): Promise<void> {
    await this.#wait(() => this.#isGone || !this.#res.writableNeedDrain);
  }

  /** The answers do not go to this connection any more, so it tells nothing of who reads them. */
  leave(): void {
    this.#left = true;
    this.#wake();
  }

  #begin(): void {
    this.#running += 1;
  }

  #isFree(): boolean {
    if (this.#running >= AT_A_TIME) return false;
    const { headersSent, writableLength } = this.#res;
    return this.#isGone || this.#waiting + (headersSent ? writableLength : 0) <= AHEAD;
  }

  /** Whether it makes no sense to wait for a reader. */
  get #isGone(): boolean {
    return this.#left || this.#res.destroyed;
  }

  async #wait(until: () => boolean): Promise<void> {
    if (!this.#watched) {
      this.#watched = true;
      this.#res.on('drain', () => this.#wake()).once('close', () => this.#wake());
    }
    while (!until()) {
      await new Promise<void>((resolve) => this.#wakers.add(resolve));
    }
  }

  #wake(): void {
    const wakers = [...this.#wakers];
    this.#wakers.clear();
    for (const wake of wakers) wake();
  }
}
