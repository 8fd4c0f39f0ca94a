/**
 * Owns the flow control of one batch (JSON-RPC 2.0 §6, MCP 2025-03-26): only some requests run concurrently, and
 * none starts while the client has many unread answers. So a batch takes as much memory as a few of its answers.
 */
import type { ServerResponse } from 'node:http';

/** Maximum number of requests of one batch that run concurrently. */
const AT_A_TIME = 8;

/** Maximum bytes of unread answers with which the next request starts. */
const AHEAD = 262_144;

export class Pace {
  readonly #res: ServerResponse;
  #running = 0;
  /** Bytes that are being written to the response. */
  #waiting = 0;
  #left = false;
  #watched = false;
  readonly #wakers = new Set<() => void>();

  constructor(res: ServerResponse) {
    this.#res = res;
  }

  /** Resolves when one more request may start; nothing when it may start immediately. */
  ready(): Promise<void> | undefined {
    if (!this.#isFree()) return this.#wait(() => this.#isFree()).then(() => this.#begin());
    this.#begin();
    return undefined;
  }

  /** A request has an answer of so many bytes. */
  answered(bytes: number): void {
    this.#running -= 1;
    this.#waiting += bytes;
    this.#wake();
  }

  /** So many bytes were written to the response, or are sent another way. */
  written(bytes: number): void {
    this.#waiting -= bytes;
    this.#wake();
  }

  /** Resolves when the client has read what was written, or has disconnected. */
  async drained(): Promise<void> {
    await this.#wait(() => this.#isGone || !this.#res.writableNeedDrain);
  }

  /** The answers no longer use this connection, so its buffer says nothing about the reader. */
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

  /** Whether no reader will empty the buffer of this connection. */
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
