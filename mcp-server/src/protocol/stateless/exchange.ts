/**
 * Owns one request that runs, from its checks to its answer: one JSON write, or a stream once something has to be said
 * before (MCP 2026-07-28 Streamable HTTP, "Receiving Messages" and "Cancellation").
 */
import type { ServerResponse } from 'node:http';
import type { Principal } from '../../authorization/principal.ts';
import type { Accepted } from '../accepted.ts';
import type { Call, ClientNotification, ClientRequest } from '../call.ts';
import { EventStream } from '../sessionful/event-stream.ts';
import type { StatelessRequest } from './request.ts';
import type { WriteResult } from './results.ts';

export interface ExchangeParts {
  readonly asked: StatelessRequest;
  readonly principal: Principal;
  readonly res: ServerResponse;
  readonly accepted: Accepted;
  readonly writeResult: WriteResult;
}

export class Exchange implements Call {
  readonly #parts: ExchangeParts;
  #stream: EventStream | undefined;
  #controller: AbortController | undefined;
  /** Answered, or nobody is left to be answered. */
  #over = false;
  #ticks = 0;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    if (!parts.accepted.json) this.#upgrade();
  }

  get principal() {
    return this.#parts.principal;
  }

  get capabilities() {
    return this.#parts.asked.capabilities;
  }

  get logLevel() {
    return this.#parts.asked.logLevel;
  }

  get progressToken() {
    return this.#parts.asked.progressToken;
  }

  /** Made when somebody looks: most calls are over before. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort();
    return this.#controller.signal;
  }

  async notify(notification: ClientNotification): Promise<void> {
    if (!this.#over) this.#upgrade()?.send(JSON.stringify({ jsonrpc: '2.0', ...notification }));
  }

  ask(_: ClientRequest): Promise<unknown> {
    return Promise.reject(new Error('nobody can be asked'));
  }

  /** Streams of this revision can't be resumed. */
  async releaseConnection(): Promise<void> {}

  /** From here on the client may go away: that cancels the call. */
  watch(): void {
    this.#parts.res.once('close', () => this.abandon());
  }

  complete(result: unknown): void {
    const { asked, writeResult } = this.#parts;
    if (this.#over) return;
    this.#end(200, `{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":${writeResult(asked.method, result)}}`);
  }

  /** Whatever still runs for this request runs for nobody. */
  fail(status: number, error: object): void {
    if (this.#over) return;
    this.#controller?.abort();
    this.#end(status, JSON.stringify({ jsonrpc: '2.0', id: this.#parts.asked.id, error }));
  }

  /** Nobody waits for the answer any more. */
  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.abort();
  }

  /** A call that outlasts a whole tick becomes a stream, as proxies cut off answers that stay silent. */
  tick(): void {
    this.#ticks += 1;
    if (this.#ticks > 1 && !this.#over) this.#upgrade()?.keepAlive();
  }

  #upgrade(): EventStream | undefined {
    const { res, accepted } = this.#parts;
    if (!this.#stream && accepted.stream) this.#stream = new EventStream(res);
    return this.#stream;
  }

  #end(status: number, text: string): void {
    this.#over = true;
    if (this.#stream) {
      this.#stream.send(text);
      this.#stream.end();
    } else writeJson(this.#parts.res, status, text);
  }
}

export function writeJson(res: ServerResponse, status: number, text: string): void {
  if (res.destroyed || res.writableEnded) return;
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  };
  res.writeHead(status, headers).end(text);
}
