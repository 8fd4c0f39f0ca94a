/**
 * Owns how the messages of one HTTP+SSE session find their way (MCP 2024-11-05 basic/transports, "HTTP with SSE"): all of
 * them to the one stream, which is the session and ends it.
 */

import type { ServerResponse } from 'node:http';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../authorization/principal.ts';
import type { Conversation } from '../../sessions/session-host.ts';
import { EventStream } from './event-stream.ts';
import { authInfoOf, cancelledId, type Incoming } from './json-rpc.ts';

export class SseTransport implements Transport, Conversation {
  readonly kind = 'http+sse';
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly running = new Set<RequestId>();
  #stream: EventStream | undefined;
  #draining = false;

  async start(): Promise<void> {}

  get busy(): boolean {
    return this.#stream?.open ?? false;
  }

  /** Opens the stream and says where to POST: a relative URL, so that it holds behind any gateway. */
  listen(res: ServerResponse, messageUrl: string, onClose: () => void): void {
    this.#stream = new EventStream(res, onClose);
    this.#stream.send(messageUrl, 'endpoint');
  }

  receive({ messages, requests }: Incoming, principal: Principal): void {
    const authInfo = authInfoOf(principal);
    for (const { id } of requests) this.running.add(id);
    for (const message of messages) {
      this.onmessage?.(message, { authInfo });
      const cancelled = cancelledId(message);
      if (cancelled !== undefined) this.#settle(cancelled);
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (!this.busy && 'method' in message && 'id' in message) throw new Error('the client is not listening');
    this.#stream?.send(JSON.stringify(message));
    if (!('method' in message) && message.id !== undefined) this.#settle(message.id);
  }

  tick(): void {
    this.#stream?.keepAlive();
  }

  endStreams(): void {
    this.#stream?.end();
  }

  /** The answers of running calls have no other way than this stream, so that it waits for them. */
  drain(): void {
    this.#draining = true;
    if (this.running.size === 0) this.endStreams();
  }

  async close(): Promise<void> {
    this.endStreams();
    this.running.clear();
    this.onclose?.();
  }

  #settle(id: RequestId): void {
    this.running.delete(id);
    if (this.#draining) this.drain();
  }
}
