/**
 * Owns one POST that carries requests, from the first to the last answer (MCP 2025-11-25 basic/transports, "Sending Messages
 * to the Server"): one JSON write, or a stream once something has to be said before the answer.
 */

import type { ServerResponse } from 'node:http';
import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { EventStream } from './event-stream.ts';

/** What the `Accept` header lets an answer be. */
export interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}

export class Exchange {
  readonly #res: ServerResponse;
  readonly #accepted: Accepted;
  readonly #batch: boolean;
  readonly #waiting: Set<RequestId>;
  readonly #answers: JSONRPCMessage[] = [];
  #stream: EventStream | undefined;
  #ticks = 0;

  constructor(res: ServerResponse, requests: readonly JSONRPCRequest[], batch: boolean, accepted: Accepted) {
    this.#res = res;
    this.#waiting = new Set(requests.map(({ id }) => id));
    this.#batch = batch;
    this.#accepted = accepted;
    res.on('error', () => {});
    if (!accepted.json) this.#stream = new EventStream(res);
  }

  /** Says something ahead of the answers; false when this client can't be told, or is gone. */
  say(message: JSONRPCMessage): boolean {
    const stream = this.#upgrade();
    stream?.send(JSON.stringify(message));
    return stream?.open ?? false;
  }

  answer(id: RequestId, response: JSONRPCMessage): void {
    this.#answers.push(response);
    if (this.#stream) this.#stream.send(JSON.stringify(response));
    this.#settle(id);
  }

  /** A cancelled request gets no answer (MCP cancellation). */
  cancel(id: RequestId): void {
    this.#settle(id);
  }

  /** A call that outlasts a whole tick becomes a stream, as proxies cut off answers that stay silent. */
  tick(): void {
    this.#ticks += 1;
    if (this.#ticks > 1) this.#upgrade()?.keepAlive();
  }

  /** Ends the stream, if it is one; the calls go on for nobody. */
  endStream(): void {
    this.#stream?.end();
  }

  /** The session is over: whatever has not been answered never will be. */
  abandon(): void {
    if (this.#stream) this.#stream.end();
    else this.#write(404, { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null });
  }

  #upgrade(): EventStream | undefined {
    if (!this.#stream && this.#accepted.stream) {
      this.#stream = new EventStream(this.#res);
      for (const answer of this.#answers) this.#stream.send(JSON.stringify(answer));
    }
    return this.#stream;
  }

  #settle(id: RequestId): void {
    this.#waiting.delete(id);
    if (this.#waiting.size > 0) return;
    if (this.#stream) this.#stream.end();
    else if (this.#answers.length === 0) this.#res.writeHead(202).end();
    else this.#write(200, this.#batch ? this.#answers : this.#answers[0]);
  }

  #write(status: number, answer: unknown): void {
    if (this.#res.destroyed || this.#res.writableEnded) return;
    const body = JSON.stringify(answer);
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    };
    this.#res.writeHead(status, headers).end(body);
  }
}
