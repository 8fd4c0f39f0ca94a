/**
 * Owns one POST that carries requests, from the first to the last answer (MCP 2025-11-25 basic/transports, "Sending Messages
 * to the Server"): one JSON write, or a stream once something has to be said before the answer. Only a stream touches the
 * log, as only a stream can be come back to.
 */

import type { ServerResponse } from 'node:http';
import { jsonText } from '@mcp-oauth/shared/json-text';
import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { StorageUnavailable } from '../../sessions/ports.ts';
import type { Entry, StreamWriter, Written } from '../../sessions/stream-writer.ts';
import type { Streams } from '../../sessions/streams.ts';
import type { Accepted } from '../wire/accepted.ts';
import { EventStream } from '../wire/event-stream.ts';
import { Silence } from '../wire/silence.ts';
import type { Outlet } from './calls/outlet.ts';
import { createSink, primes } from './transports/stream-sink.ts';

export interface ExchangeParts {
  readonly res: ServerResponse;
  readonly requests: readonly JSONRPCRequest[];
  /** Whether the requests came as an array. */
  readonly batch: boolean;
  readonly accepted: Accepted;
  readonly session: string;
  readonly revision: string;
  readonly streams: Streams;
}

interface Upgraded {
  readonly writer: Pick<StreamWriter, 'append' | 'waiting'>;
  readonly response: EventStream;
}

/** Events that may be on their way to the log before whoever speaks has to wait. */
const AHEAD = 64;

const GONE = '{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}';

export class Exchange implements Outlet {
  readonly #parts: ExchangeParts;
  readonly #waiting: Set<RequestId>;
  /** JSON text of each. */
  readonly #answers: string[] = [];
  #upgrade: Promise<Upgraded | undefined> | undefined;
  readonly #silence = new Silence();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    this.#waiting = new Set(parts.requests.map(({ id }) => id));
    parts.res.on('error', () => {});
    if (parts.accepted.streamFirst) this.#upgrade = this.#open();
  }

  async say(message: JSONRPCMessage): Promise<boolean> {
    const upgraded = await this.#upgraded();
    if (!upgraded) return false;
    const written = upgraded.writer.append({ data: jsonText(message) });
    if (upgraded.writer.waiting > AHEAD) await written;
    return true;
  }

  answer(id: RequestId, response: JSONRPCMessage): void {
    const text = jsonText(response);
    this.#answers.push(text);
    this.#settle(id, text);
  }

  drop(id: RequestId): void {
    this.#settle(id, '');
  }

  async releaseConnection(): Promise<void> {
    if (!primes(this.#parts.revision)) return;
    const upgraded = await this.#upgraded();
    // Without an event that has an id the client could not come back.
    await upgraded?.writer.append({ data: '' });
    setImmediate(() => upgraded?.response.end());
  }

  look(): void {
    if (this.#silence.look()) void this.#upgraded().then((upgraded) => upgraded?.response.keepAlive());
  }

  abandon(): void {
    this.#waiting.clear();
    if (this.#upgrade)
      void this.#upgrade.then((upgraded) => (upgraded ? upgraded.response.end() : this.#write(404, GONE)));
    else this.#write(404, GONE);
  }

  #upgraded(): Promise<Upgraded | undefined> {
    if (this.#upgrade) return this.#upgrade;
    const { accepted, res } = this.#parts;
    if (!accepted.stream || res.destroyed || res.writableEnded) return Promise.resolve(undefined);
    this.#upgrade = this.#open();
    return this.#upgrade;
  }

  async #open(): Promise<Upgraded | undefined> {
    const answered = [...this.#answers];
    try {
      const upgraded = await this.#openLogged();
      if (primes(this.#parts.revision)) void upgraded?.writer.append({ data: '' });
      for (const data of answered) void upgraded?.writer.append({ data });
      return upgraded;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      const upgraded = openUnlogged(this.#parts.res);
      for (const data of answered) void upgraded.writer.append({ data });
      return upgraded;
    }
  }

  async #openLogged(): Promise<Upgraded | undefined> {
    const { streams, session, requests, res, revision } = this.#parts;
    const name = streams.newName(session);
    const attachment = await streams.attach(name, (detach) => {
      const response = new EventStream(res, detach);
      return { ...createSink(response, name.stream, revision), response };
    });
    if (!attachment) return undefined;
    const writer = streams.writer(name, JSON.stringify(requests.map(({ id }) => id)));
    return { writer, response: attachment.sink.response };
  }

  #settle(id: RequestId, data: string): void {
    if (!this.#waiting.delete(id)) return;
    const last = this.#waiting.size === 0;
    if (!this.#upgrade) {
      if (last) this.#finish();
      return;
    }
    void this.#upgrade.then(async (upgraded) => {
      if (upgraded) {
        if ((await upgraded.writer.append({ data, last })) === 'lost') upgraded.response.end();
      } else if (last) this.#finish();
    });
  }

  #finish(): void {
    if (this.#answers.length > 0) this.#write(200, this.#parts.batch ? `[${this.#answers}]` : `${this.#answers}`);
    else if (!this.#parts.res.headersSent) this.#parts.res.writeHead(202).end();
  }

  #write(status: number, body: string): void {
    const { res } = this.#parts;
    if (res.destroyed || res.headersSent) return;
    const headers = {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    };
    res.writeHead(status, headers).end(body);
  }
}

/** While the store is away: what is said reaches the client as long as the connection lasts, and can't be come back to. */
function openUnlogged(res: ServerResponse): Upgraded {
  const response = new EventStream(res);
  const append = async ({ data, last = false }: Entry): Promise<Written> => {
    const sent = !data || response.send({ data });
    if (last) response.end();
    return sent ? 'read' : 'unread';
  };
  return { response, writer: { append, waiting: 0 } };
}
