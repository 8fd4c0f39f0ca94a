/**
 * Owns one running request, from its checks to its answer: one JSON body, or a stream once a message precedes the
 * answer (MCP 2026-07-28 Streamable HTTP, "Receiving Messages" and "Cancellation").
 */

import type { TransientSet } from '@mcp-oauth/shared/collections/transient';
import { LIMIT_REACHED } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { Allowance, Share } from '../../allowance/allowance.ts';
import { type Call, type ClientNotification, type ClientRequest, ENDED, type Method, type Rounds } from '../call.ts';
import type { McpRequest } from '../endpoints.ts';
import { ConnectionNeeded } from '../methods/upstreams/connection-needed.ts';
import type { Accepted } from '../wire/accepted.ts';
import { answerText, boundedText, errorText } from '../wire/answer-text.ts';
import { EventStream } from '../wire/event-stream.ts';
import { KeepAlivePace } from '../wire/keep-alive.ts';
import { failureOf, writeJson } from './answers.ts';
import { type Answers, MAY_ASK, Questions } from './questions.ts';
import type { StatelessRequest } from './request.ts';
import type { RequestState } from './request-state.ts';
import type { WriteResult } from './results.ts';

export interface StatelessCallOptions {
  readonly request: McpRequest;
  readonly asked: StatelessRequest;
  readonly accepted: Accepted;
  /** The answers that came with the request. */
  readonly answers: Answers;
  readonly dependencies: StatelessCallDependencies;
}

/** The collaborators of all calls. */
interface StatelessCallDependencies {
  readonly writeResult: WriteResult;
  readonly state: RequestState;
  /** The running calls, without those that end synchronously. */
  readonly running: TransientSet<StatelessCall>;
  readonly allowance: Allowance;
}

/** Bytes of an answer that do not count as unread: every connection takes as much by itself. */
const SMALL = 16_384;

export class StatelessCall implements Call {
  readonly #options: StatelessCallOptions;
  /** Created with the first question. */
  #questions: Questions | undefined;
  #stream: EventStream | undefined;
  #controller: AbortController | undefined;
  #abandoned: () => void = () => {};
  /**
   * Whether no client waits for this run any more: it has ended, or has ended with a question, or the client has
   * disconnected.
   */
  #over = false;
  /** Present while the call counts as running. */
  #leaveRunning: (() => void) | undefined;
  #ending: AbortController | undefined;
  readonly #keepAlive = new KeepAlivePace();

  constructor(options: StatelessCallOptions) {
    this.#options = options;
    if (options.accepted.streamFirst) this.#upgrade();
  }

  get principal() {
    return this.#options.request.principal;
  }

  get audit() {
    return this.#options.request.audit;
  }

  get accessToken() {
    return this.#options.request.accessToken;
  }

  get capabilities() {
    return this.#options.asked.capabilities;
  }

  get logLevel() {
    return this.#options.asked.logLevel;
  }

  get progressToken() {
    return this.#options.asked.progressToken;
  }

  /** Created on first use: most calls end before. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#over) this.#controller.abort();
    return this.#controller.signal;
  }

  get ended(): AbortSignal {
    this.#ending ??= new AbortController();
    return this.#ending.signal;
  }

  async run(method: Method): Promise<void> {
    const { asked, request } = this.#options;
    if (request.res.destroyed) return;
    try {
      const result = method(asked.params, this);
      if (result instanceof Promise) {
        // An answer that does not fit its question has ended the request already.
        if (!this.#over) this.#begin();
        this.#complete(await result);
      } else this.#complete(result);
    } catch (error) {
      this.#release();
      this.fail(error);
    }
  }

  notify(notification: ClientNotification): void {
    if (!this.#over) this.#upgrade()?.send({ data: jsonText({ jsonrpc: '2.0', ...notification }) });
  }

  async ask(request: ClientRequest): Promise<unknown> {
    const { asked } = this.#options;
    if (!MAY_ASK.has(asked.method)) throw new Error(`${asked.method} can't ask`);
    const questions = this.#asked();
    try {
      const answer = this.#over ? undefined : questions.ask(request);
      if (answer !== undefined) return answer;
      if (this.#over) this.#release();
      // Deferred, so that concurrent questions become one round.
      else if (questions.open.size === 1)
        setImmediate(() => this.#pause(questions).catch((error) => this.#giveUp(error)));
    } catch (error) {
      // An error of the client; the tool that asks is not at fault, and does not go on.
      this.#release();
      this.fail(error);
    }
    return new Promise(() => {});
  }

  /** Absent for methods that must not end with a question. */
  get rounds(): Rounds | undefined {
    if (!MAY_ASK.has(this.#options.asked.method)) return undefined;
    const questions = this.#asked();
    return {
      known: (name) => questions.known(name),
      note: (name, value) => {
        questions.used.set(name, value);
      },
      again: () => {
        this.#pause(questions).catch((error) => this.#giveUp(error));
        return new Promise(() => {});
      },
    };
  }

  #asked(): Questions {
    this.#questions ??= new Questions(this.#options.answers);
    return this.#questions;
  }

  onAbandoned(listener: () => void): void {
    this.#abandoned = listener;
  }

  /** No stream of this revision can be resumed. */
  async releaseConnection(): Promise<void> {}

  fail(error: unknown): void {
    if (this.#over) return;
    this.#leave();
    this.#answerFailure(error);
  }

  /** Sends a keep-alive when one is due and the client accepts a stream; called at a steady pace while the call runs. */
  checkKeepAlive(): void {
    if (this.#keepAlive.isDue()) this.#upgrade()?.keepAlive();
  }

  /** The method has returned or failed, or a question has ended its run: nothing that it has left running is of use any more. */
  #release(): void {
    this.#ending?.abort();
    this.#ending ??= ENDED;
  }

  #complete(result: unknown): void {
    this.#release();
    if (this.#over) return;
    // Must be first: this throws for a result that can't be written as JSON, and an error is sent then.
    const text = this.#textOf(result);
    this.#end();
    this.#write(200, text);
  }

  /** Ends the request with its questions. The run is abandoned; the next run comes with the answers. */
  async #pause({ open, used }: Questions): Promise<void> {
    this.#release();
    if (this.#over) return;
    this.#leave();
    this.#abandoned();
    const { dependencies, request } = this.#options;
    try {
      const requestState = await dependencies.state.write(used, this.#options.asked, request.principal);
      const inputRequests = Object.fromEntries([...open].map(([key, { method, params }]) => [key, { method, params }]));
      const asked = open.size > 0 && { inputRequests };
      this.#write(200, this.#textOf({ resultType: 'input_required', ...asked, requestState }));
    } catch (error) {
      this.#answerFailure(error);
    }
  }

  /** There is no answer that could be sent. */
  #giveUp(err: unknown): void {
    const { log, res } = this.#options.request;
    log.error({ err }, 'request failed');
    res.destroy();
  }

  /** The request counts as running from now on. */
  #begin(): void {
    const { request, dependencies } = this.#options;
    this.#leaveRunning = dependencies.running.add(this);
    dependencies.allowance.begin(this.principal);
    // A client that disconnects cancels its request.
    request.res.once('close', () => this.#leave());
  }

  #leave(): void {
    if (this.#over) return;
    // A tool that has asked a question does not continue in this run.
    if (this.#questions?.open.size) this.#release();
    this.#end();
    this.#controller?.abort();
  }

  #end(): void {
    this.#over = true;
    if (!this.#leaveRunning) return;
    this.#leaveRunning();
    this.#leaveRunning = undefined;
    this.#options.dependencies.allowance.end(this.principal);
  }

  #textOf(result: unknown): string {
    const { asked, dependencies } = this.#options;
    const text = dependencies.writeResult(asked.method, result);
    const answer = `{"jsonrpc":"2.0","id":${JSON.stringify(asked.id)},"result":${text}}`;
    return boundedText(answer, asked.id, dependencies.allowance);
  }

  #answerFailure(cause: unknown): void {
    const { asked, request, dependencies } = this.#options;
    if (cause instanceof ConnectionNeeded && !this.#stream && !request.res.headersSent && !request.res.destroyed) {
      request.challenge(cause.scope);
      return;
    }
    const { status, error } = failureOf(cause, asked.method, request);
    this.#write(status, answerText({ jsonrpc: '2.0', id: asked.id, error }, asked.id, dependencies.allowance));
  }

  #write(status: number, answer: string): void {
    const text = this.#affordable(answer);
    this.#stream?.send({ data: text });
    if (this.#stream) this.#stream.end();
    else writeJson(this.#options.request.res, status, text);
  }

  #upgrade(): EventStream | undefined {
    const { request, accepted } = this.#options;
    if (!this.#stream && accepted.stream) this.#stream = new EventStream(request.res, undefined, this.#share());
    return this.#stream;
  }

  /** The answer, or an error instead when the client has too many unread bytes. */
  #affordable(text: string): string {
    if (text.length <= SMALL) return text;
    const { request, asked, dependencies } = this.#options;
    const { allowance } = dependencies;
    const share = this.#share();
    if (share.hold(text.length)) {
      // A stream counts by itself what its reader has not taken.
      if (this.#stream) share.release();
      else request.res.once('close', () => share.release());
      return text;
    }
    const reached = allowance.reached('MAX_BYTES_PER_PRINCIPAL', allowance.limits.maxBytesPerPrincipal);
    return errorText(asked.id, LIMIT_REACHED, reached);
  }

  #share(): Share {
    return this.#options.dependencies.allowance.share(this.principal);
  }
}
