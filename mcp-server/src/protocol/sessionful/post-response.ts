/**
 * Owns the response to one POST with requests, from the first to the last answer (MCP 2025-11-25 basic/transports,
 * "Sending Messages to the Server"): one JSON body, or a stream once a message precedes the answer. Only streams
 * use the log, as only a stream can be resumed. The answers of a batch are sent once they exceed a few.
 */
import type { ServerResponse } from 'node:http';
import { LIMIT_REACHED } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance, Share } from '../../allowance/allowance.ts';
import { Stride } from '../../allowance/turns.ts';
import type { Principal } from '../../authorization/principal.ts';
import { type Soon, StorageUnavailable, type StreamEvent, type StreamName, soon } from '../../sessions/ports.ts';
import type { Attachment, Sink } from '../../sessions/stream-reader.ts';
import type { NewEvent, StreamWriter, Written } from '../../sessions/stream-writer.ts';
import type { Streams } from '../../sessions/streams.ts';
import type { Accepted } from '../wire/accepted.ts';
import { errorText } from '../wire/answer-text.ts';
import { EventStream } from '../wire/event-stream.ts';
import { KeepAlivePace } from '../wire/keep-alive.ts';
import type { Outlet } from './calls/outlet.ts';
import { gone } from './error-responses.ts';
import { JsonAnswer } from './json-answer.ts';
import { Pace } from './pace.ts';
import type { Receipts } from './transports/receipts.ts';
import { createSink, primes } from './transports/stream-sink.ts';

export interface PostResponseOptions {
  readonly res: ServerResponse;
  readonly requests: readonly JSONRPCRequest[];
  /** Whether the body was an array. */
  readonly batch: boolean;
  readonly accepted: Accepted;
  readonly principal: Principal;
  readonly session: string;
  readonly revision: string;
  readonly streams: Streams;
  readonly allowance: Allowance;
  readonly receipts: Receipts;
  /** Called with the error of work that nobody waits for. */
  readonly onFailure: (error: unknown) => void;
}

type ResponseSink = Sink & { readonly response: EventStream };

interface Upgraded {
  readonly writer: Pick<StreamWriter, 'append' | 'waiting'>;
  readonly response: EventStream;
  /** Absent: the stream has no log, so no other connection can read it. */
  readonly name?: StreamName;
  /** Resolves when a reader on this replica was sent all events of the log. */
  readonly sent: () => Soon<void>;
}

/** Maximum number of events that are not in the log yet; a sender waits when there are more. */
const AHEAD = 64;

/** Bytes of answers that a batch collects before it starts to send them. */
const GATHERED = 65_536;

/** Bytes of an answer that do not count as unread: every connection takes as much by itself. */
const SMALL = 16_384;

export class PostResponse implements Outlet {
  readonly #options: PostResponseOptions;
  readonly #waiting: Set<RequestId>;
  readonly #json: JsonAnswer;
  readonly #pace: Pace | undefined;
  #share: Share | undefined;
  /** Absent: no stream was opened yet. */
  #upgrade: Soon<Upgraded | 'over'> | undefined;
  /** Answers of a batch are appended to the stream one after the other. */
  #tail: Promise<unknown> | undefined;
  readonly #keepAlive = new KeepAlivePace();
  readonly #stride: Stride;

  constructor(options: PostResponseOptions) {
    const { res, batch } = options;
    this.#options = options;
    this.#waiting = new Set(options.requests.map(({ id }) => id));
    this.#json = new JsonAnswer(res, batch);
    this.#stride = new Stride(options.allowance.turns);
    if (batch) this.#pace = new Pace(res);
    res.on('error', () => {});
    if (options.accepted.streamFirst) this.#inBackground(this.#open());
  }

  ready(): Promise<void> | undefined {
    return this.#pace?.ready();
  }

  send(message: JSONRPCMessage): Soon<boolean> {
    return soon(this.#upgraded(), (upgraded) => upgraded !== 'over' && this.#sendOn(upgraded, message));
  }

  answer(id: RequestId, response: string): void {
    this.#settle(id, this.#affordable(id, response));
  }

  isUntouched(): boolean {
    return !(this.#pace || this.#upgrade || this.#options.res.headersSent);
  }

  drop(id: RequestId): void {
    this.#settle(id, '');
  }

  async releaseConnection(): Promise<void> {
    if (!primes(this.#options.revision)) return;
    const upgraded = await this.#upgraded();
    if (upgraded === 'over') return;
    // The client can only resume a stream from an event with an id.
    await upgraded.writer.append({ data: '' });
    setImmediate(() => upgraded.response.end());
  }

  checkKeepAlive(): void {
    if (!this.#keepAlive.isDue()) return;
    this.#inBackground(soon(this.#upgraded(), (upgraded) => upgraded !== 'over' && upgraded.response.keepAlive()));
  }

  abandon(isOver: boolean): void {
    const { batch, requests, streams } = this.#options;
    const unanswered = isOver ? [...this.#waiting] : [];
    this.#waiting.clear();
    this.#pace?.leave();
    const end = (upgraded: Upgraded | 'over') => {
      if (upgraded === 'over') return this.#json.write(404, gone(batch ? undefined : requests[0]?.id));
      const reading = upgraded.name ? streams.reading(upgraded.name)?.sink : upgraded;
      for (const id of unanswered) reading?.response?.send({ data: gone(id) });
      upgraded.response.end();
    };
    this.#inBackground(soon(this.#upgrade ?? 'over', end));
  }

  /** The answer, or an error instead when the client has too many unread bytes. */
  #affordable(id: RequestId, text: string): string {
    if (text.length <= SMALL) return text;
    const { allowance, principal, res } = this.#options;
    if (!this.#share) {
      this.#share = allowance.share(principal);
      res.once('close', () => this.#share?.release());
    }
    if (this.#share.hold(text.length)) return text;
    const reached = allowance.reached('MAX_BYTES_PER_PRINCIPAL', allowance.limits.maxBytesPerPrincipal);
    return errorText(id, LIMIT_REACHED, reached);
  }

  #upgraded(): Soon<Upgraded | 'over'> {
    if (this.#upgrade) return this.#upgrade;
    const { accepted, res } = this.#options;
    // After a JSON answer there is no stream: the tool may still send messages that nobody awaits.
    return !accepted.stream || res.destroyed || res.headersSent ? 'over' : this.#open();
  }

  #open(): Promise<Upgraded | 'over'> {
    const answered = this.#json.take();
    const unlogged = (error: unknown) => {
      if (!(error instanceof StorageUnavailable)) throw error;
      return this.#openUnlogged();
    };
    const opening = this.#openLogged()
      .catch(unlogged)
      .then((upgraded) => this.#opened(upgraded, answered));
    const use = (upgraded: Upgraded | 'over'): void => {
      this.#upgrade = upgraded;
    };
    // Right before the messages that wait for the stream: one that is sent until then would overtake them.
    opening.then(use, () => {});
    this.#upgrade = opening;
    return opening;
  }

  #opened(upgraded: Upgraded | 'over', answered: readonly string[]): Upgraded | 'over' {
    if (upgraded === 'over') {
      this.#json.add(...answered);
      return upgraded;
    }
    if (primes(this.#options.revision)) this.#inBackground(upgraded.writer.append({ data: '' }));
    for (const data of answered) {
      this.#pace?.written(-data.length);
      this.#inBackground(this.#append(upgraded, { data }));
    }
    return upgraded;
  }

  /** @returns 'over' when the session has ended */
  async #openLogged(): Promise<Upgraded | 'over'> {
    const { streams, session, requests, res, revision, receipts, allowance, principal } = this.#options;
    const name = streams.newName(session);
    const attachment: Attachment<ResponseSink> | undefined = await streams.attach(name, (detach) => {
      const response = new EventStream(res, detach, allowance.share(principal));
      // Another connection reads the stream now, and the buffer of this one says nothing about the reader.
      const end = () => {
        response.end();
        this.#pace?.leave();
      };
      const sink = createSink(response, name.stream, revision);
      const send = (event: StreamEvent): boolean => {
        const isSent = sink.send(event);
        if (isSent && event.last) receipts.expect(res, () => attachment && streams.discard(attachment));
        return isSent;
      };
      return { ...sink, send, end, response, opener: principal };
    });
    if (!attachment) return 'over';
    const writer = streams.writer(name, JSON.stringify(requests.map(({ id }) => id)));
    return { name, writer, response: attachment.sink.response, sent: () => streams.wake(name) };
  }

  /** While the store is unavailable, events are sent to this connection only, and the stream can't be resumed. */
  #openUnlogged(): Upgraded {
    const { res, allowance, principal } = this.#options;
    const response = new EventStream(res, undefined, allowance.share(principal));
    const append = ({ data, last = false }: NewEvent): Written => {
      const sent = !data || response.send({ data });
      if (last) response.end();
      return sent ? 'read' : 'unread';
    };
    return { response, writer: { append, waiting: 0 }, sent: () => {} };
  }

  #settle(id: RequestId, data: string): void {
    if (!this.#waiting.delete(id)) return;
    this.#pace?.answered(data.length);
    const last = this.#waiting.size === 0;
    if (!this.#upgrade) {
      this.#gather(data, last);
      return;
    }
    const end = (upgraded: Upgraded) => (written: Written) => {
      if (written === 'lost') upgraded.response.end();
    };
    const settle = (upgraded: Upgraded | 'over'): Soon<void> =>
      upgraded === 'over' ? this.#gather(data, last) : soon(this.#append(upgraded, { data, last }), end(upgraded));
    this.#inBackground(soon(this.#upgrade, settle));
  }

  /** The client would wait for ever for what has failed, so its connection is closed. */
  #inBackground(work: unknown): void {
    if (!(work instanceof Promise)) return;
    work.catch((error: unknown) => {
      this.#options.onFailure(error);
      this.#options.res.destroy();
    });
  }

  #gather(data: string, last: boolean): void {
    if (data) this.#json.add(data);
    this.#pace?.written(data.length);
    if (last) this.#json.end();
    else if (this.#json.gathered > GATHERED) this.#sendGathered();
  }

  /** Sends the collected answers of a batch. A stream allows the running requests to send messages later; JSON does not. */
  #sendGathered(): void {
    if (!this.#pace) return;
    if (this.#options.accepted.stream && !this.#upgrade) {
      this.#inBackground(this.#upgraded());
      return;
    }
    this.#json.flush();
    this.#inBackground(this.#pace.drained().then(() => this.#share?.release()));
  }

  /** The next answer of a batch waits until this one was sent to the client: the log keeps a limited number of bytes. */
  #append(upgraded: Upgraded, entry: NewEvent): Soon<Written> {
    const release = (written: Written): Written => {
      this.#share?.release(entry.data.length > SMALL ? entry.data.length : 0);
      return written;
    };
    const pace = this.#pace;
    if (!pace) return soon(upgraded.writer.append(entry), release);
    const append = async () => {
      const written = release(await upgraded.writer.append(entry));
      await upgraded.sent();
      // Only what is written tells the pace how much the client has to read.
      upgraded.response.flush();
      await pace.drained();
      pace.written(entry.data.length);
      return written;
    };
    const turn = this.#tail ? this.#tail.then(append) : append();
    this.#tail = turn.catch(() => {});
    return turn;
  }

  #sendOn({ writer }: Upgraded, message: JSONRPCMessage): Soon<boolean> {
    const data = jsonText(message);
    const written = writer.append({ data });
    this.#inBackground(written);
    // The sender of a request waits for a response, which never comes if the client does not get the request.
    if ('id' in message) return soon(written, (how) => !['full', 'lost', 'over'].includes(how));
    const ready = writer.waiting > AHEAD ? written : undefined;
    const paced = soon(ready, () => this.#stride.wait(data.length));
    return soon(paced, () => true);
  }
}
