/**
 * Owns how the messages of one Streamable HTTP session find their way: each answer to the POST that asked, what belongs to
 * no request to the standalone stream (MCP 2025-11-25 basic/transports, "Multiple Connections").
 */

import type { ServerResponse } from 'node:http';
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../authorization/principal.ts';
import type { Conversation } from '../../sessions/session-host.ts';
import { EventStream } from './event-stream.ts';
import { type Accepted, Exchange } from './exchange.ts';
import { authInfoOf, cancelledId, type Incoming } from './json-rpc.ts';

export class StreamableTransport implements Transport, Conversation {
  readonly kind = 'streamable-http';
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly #exchanges = new Map<RequestId, Exchange>();
  #standalone: EventStream | undefined;

  async start(): Promise<void> {}

  /** The requests that run, by id. */
  get running(): ReadonlyMap<RequestId, unknown> {
    return this.#exchanges;
  }

  get streaming(): boolean {
    return this.#standalone?.open ?? false;
  }

  get busy(): boolean {
    return this.streaming || this.#exchanges.size > 0;
  }

  /** Takes in a POST with requests, and answers it on `res`. */
  exchange(incoming: Incoming, principal: Principal, res: ServerResponse, accepted: Accepted): void {
    const exchange = new Exchange(res, incoming.requests, incoming.batch, accepted);
    for (const { id } of incoming.requests) this.#exchanges.set(id, exchange);
    this.receive(incoming, principal);
  }

  receive({ messages }: Incoming, principal: Principal): void {
    const authInfo = authInfoOf(principal);
    for (const message of messages) {
      this.onmessage?.(message, { authInfo });
      const cancelled = cancelledId(message);
      // Later, as the SDK first aborts the call, and what the call says to that should still go out.
      if (cancelled !== undefined) setImmediate(() => this.#take(cancelled)?.cancel(cancelled));
    }
  }

  /** Opens the standalone stream. */
  listen(res: ServerResponse): void {
    this.#standalone = new EventStream(res);
  }

  async send(message: JSONRPCMessage, options: TransportSendOptions = {}): Promise<void> {
    const answer = !('method' in message);
    if (answer) {
      if (message.id !== undefined) this.#take(message.id)?.answer(message.id, message);
      return;
    }
    const { relatedRequestId } = options;
    const said =
      relatedRequestId === undefined ? this.#announce(message) : this.#exchanges.get(relatedRequestId)?.say(message);
    // A request that reaches nobody must fail, or its sender waits for the answer in vain.
    if (!said && 'id' in message) throw new Error('the client is not listening');
  }

  tick(): void {
    this.#standalone?.keepAlive();
    for (const exchange of new Set(this.#exchanges.values())) exchange.tick();
  }

  endStreams(): void {
    this.#standalone?.end();
    for (const exchange of this.#exchanges.values()) exchange.endStream();
  }

  drain(): void {
    this.#standalone?.end();
  }

  async close(): Promise<void> {
    this.#standalone?.end();
    for (const exchange of this.#exchanges.values()) exchange.abandon();
    this.#exchanges.clear();
    this.onclose?.();
  }

  #announce(message: JSONRPCMessage): boolean {
    this.#standalone?.send(JSON.stringify(message));
    return this.streaming;
  }

  #take(id: RequestId): Exchange | undefined {
    const exchange = this.#exchanges.get(id);
    this.#exchanges.delete(id);
    return exchange;
  }
}
