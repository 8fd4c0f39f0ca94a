/**
 * Owns the requests of all sessions that run on this replica. Each has a number that is unique on the replica, so
 * that nothing is built for each session. The id of a request to a client starts with the replica's name, so that
 * any replica can forward the response.
 */

import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import { INTERNAL_ERROR, LIMIT_REACHED, TOKEN_REVOKED } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, JSONRPCRequest, JSONRPCResponse, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance } from '../../../allowance/allowance.ts';
import type { IsRevoked } from '../../../authorization/status/reference.ts';
import { type Method, type Methods, RpcError } from '../../call.ts';
import { answerText, boundedText, errorText, resultText } from '../../wire/answer-text.ts';
import { LISTS, PreparedTexts } from '../../wire/prepared-texts.ts';
import { challenged, wordedError } from './challenged.ts';
import type { Run } from './outlet.ts';
import type { SessionServer } from './server.ts';
import { type AskClient, SessionCall } from './session-call.ts';

export type Delivery = 'delivered' | 'unknown' | { readonly replica: string };

export interface MultiplexerDependencies {
  readonly replica: string;
  /** The SDK answers methods that are not in this table. */
  readonly methods: Methods;
  readonly server: SessionServer;
  readonly allowance: Allowance;
  readonly onFault: (error: unknown, method: string) => void;
}

interface Running {
  readonly run: Run;
  /** Absent for a request that the SDK answers. */
  readonly call: SessionCall | undefined;
}

const NO_PARAMS = {};

/** Methods whose results are prepared objects. */
const PREPARED: ReadonlySet<string> = new Set(['initialize', ...LISTS]);

/** The number of a call that was answered before it counted as running; none of those that run has it. */
const ENDED = 0;

const REVOKED = 'The access token of this request was revoked';

const keyOf = (session: string, id: RequestId): string => `${session} ${typeof id} ${id}`;

export class Multiplexer implements Transport {
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly #dependencies: MultiplexerDependencies;
  readonly #running = new TransientMap<number, Running>();
  /** By session and the client's own id. */
  readonly #numbers = new Map<string, number>();
  /** Requests of batches that have not started, by session and the client's own id. */
  readonly #queued = new TransientMap<string, Run>();
  /** Session of each request to a client that has no response yet, by id. */
  readonly #asked = new Map<RequestId, string>();
  readonly #prepared = new PreparedTexts();
  #numbered = 0;

  constructor(dependencies: MultiplexerDependencies) {
    this.#dependencies = dependencies;
  }

  async start(): Promise<void> {}

  runs(): readonly Run[] {
    return [...this.#running.values()].map(({ run }) => run);
  }

  /** Number of requests that run or are queued. */
  get count(): number {
    return this.#running.size + this.#queued.size;
  }

  isRunning(session: string, id: RequestId): boolean {
    if (this.count === 0) return false;
    const key = keyOf(session, id);
    return this.#numbers.has(key) || this.#queued.has(key);
  }

  /** A request will start later. Its id is in use, and it can be cancelled. */
  queue(run: Run): void {
    this.#queued.set(keyOf(run.session.id, run.id), run);
  }

  /** The request starts now. @returns false when it was cancelled */
  unqueue({ session, id }: Run): boolean {
    return this.#queued.delete(keyOf(session.id, id));
  }

  /** A method without a promise is answered in the same turn, and never counts as running. */
  run(request: JSONRPCRequest, run: Run): void {
    const { methods, allowance } = this.#dependencies;
    const { method: name, params = NO_PARAMS } = request;
    const method = methods.get(name);
    // Requests that the SDK answers, such as ping, end immediately; sessions have a limit of their own.
    const isLimited = method && name !== 'initialize';
    const limit = isLimited && allowance.runningLimit(run.principal, run.session.id);
    if (limit) this.#refuse(run, limit);
    else if (method) this.#execute(name, new SessionCall(run, params, this.#askClient), (call) => method(params, call));
    else this.onmessage?.({ ...request, id: this.#begin(run, undefined) });
  }

  /** Cancels a request. @returns false when it does not run here */
  cancel(session: string, id: RequestId, reason?: string): boolean {
    const number = this.#numbers.get(keyOf(session, id));
    if (number === undefined) return this.#unqueue(session, id);
    this.#running.get(number)?.call?.abort(reason);
    // Deferred: messages that the call sends when it is aborted still reach the client.
    setImmediate(() => this.#take(number)?.outlet.drop(id));
    return true;
  }

  /** Aborts the requests whose token was revoked, and answers them with an error. @returns their number */
  revoke(isRevoked: IsRevoked): number {
    let count = 0;
    const refuse = ({ id, outlet }: Run): void => {
      count += 1;
      outlet.answer(id, jsonText({ jsonrpc: '2.0', id, error: { code: TOKEN_REVOKED, message: REVOKED } }));
    };
    for (const run of this.#queued.values()) if (isRevoked(run.principal) && this.unqueue(run)) refuse(run);
    for (const [number, { run, call }] of this.#running) {
      if (!isRevoked(run.principal)) continue;
      call?.abort(REVOKED);
      this.#take(number);
      refuse(run);
    }
    return count;
  }

  /** A client responds to a request of any replica. */
  respond(session: string, message: JSONRPCMessage): Delivery {
    const id = 'id' in message ? message.id : undefined;
    const [, replica, number] = /^([0-9a-z]+)\.(\d+)$/.exec(String(id)) ?? [];
    if (replica === undefined) return 'unknown';
    if (replica !== this.#dependencies.replica) return { replica };
    const asked = Number(number);
    // Refuses a response from a session that was not asked, so that guessing an id achieves nothing.
    if (this.#asked.get(asked) !== session) return 'unknown';
    this.#asked.delete(asked);
    this.onmessage?.({ ...message, id: asked } as JSONRPCMessage);
    return 'delivered';
  }

  /** The session has ended. */
  end(session: string): void {
    for (const run of this.#queued.values()) {
      if (run.session.id === session && this.unqueue(run)) run.outlet.abandon(true);
    }
    for (const [number, { run, call }] of this.#running) {
      if (run.session.id !== session) continue;
      call?.abort('The session has ended');
      this.#take(number);
      run.outlet.abandon(true);
    }
  }

  /** Sends a message of the SDK's server. */
  async send(message: JSONRPCMessage, { relatedRequestId }: TransportSendOptions = {}): Promise<void> {
    if (!('method' in message)) return this.#handBack(message);
    const run = this.#running.get(Number(relatedRequestId))?.run;
    if ('id' in message) return this.#ask(message, run);
    await run?.outlet.send(this.#withdrawn(message));
  }

  async close(): Promise<void> {
    for (const { call, run } of this.#running.values()) {
      call?.abort('The server is shutting down');
      run.outlet.abandon(false);
    }
    this.#running.clear();
    this.#numbers.clear();
    this.#queued.clear();
    this.#asked.clear();
    this.onclose?.();
  }

  /** Cancels a request that has not started. */
  #unqueue(session: string, id: RequestId): boolean {
    const run = this.#queued.get(keyOf(session, id));
    if (!run) return false;
    this.unqueue(run);
    run.outlet.drop(id);
    return true;
  }

  #refuse({ id, outlet }: Run, limit: NonNullable<ReturnType<Allowance['runningLimit']>>): void {
    outlet.answer(id, errorText(id, LIMIT_REACHED, this.#dependencies.allowance.runningReached(limit)));
  }

  /** The request runs from now on: it counts, and it can be cancelled. @returns its number */
  #begin(run: Run, call: SessionCall | undefined): number {
    this.#numbered += 1;
    this.#running.set(this.#numbered, { run, call });
    this.#numbers.set(keyOf(run.session.id, run.id), this.#numbered);
    if (call) this.#dependencies.allowance.begin(run.principal, run.session.id);
    return this.#numbered;
  }

  readonly #askClient: AskClient = (call, asked, signal) => {
    call.number ??= this.#begin(call.run, call);
    return this.#dependencies.server.ask(call.number, asked, signal);
  };

  #execute(name: string, call: SessionCall, run: (call: SessionCall) => ReturnType<Method>): void {
    try {
      const result = run(call);
      if (result instanceof Promise) this.#await(name, call, result);
      else this.#succeed(name, call, result);
    } catch (error) {
      this.#fail(name, call, error);
    }
  }

  #await(name: string, call: SessionCall, result: Promise<unknown>): void {
    call.number ??= this.#begin(call.run, call);
    result.then((late) => this.#succeed(name, call, late)).catch((error: unknown) => this.#fail(name, call, error));
  }

  #succeed(name: string, call: SessionCall, result: unknown): void {
    // Must be before the answer: a question to the client that nobody waits for is withdrawn.
    call.end();
    if (call.over) return;
    const { id } = call.run;
    // Must be first: this throws for a result that can't be written as JSON, and an error is sent then.
    const text = PREPARED.has(name) ? this.#prepared.of(result as object, jsonText) : jsonText(result);
    this.#end(call, boundedText(resultText(id, text), id, this.#dependencies.allowance));
  }

  #fail(name: string, call: SessionCall, error: unknown): void {
    call.end();
    if (call.over) return;
    const { id } = call.run;
    if (challenged(call.run, error)) {
      this.#take(call.number ?? ENDED);
      return;
    }
    this.#end(
      call,
      answerText({ jsonrpc: '2.0', id, error: this.#errorOf(error, name) }, id, this.#dependencies.allowance),
    );
  }

  #end(call: SessionCall, text: string): void {
    const { run } = call;
    // A call that was answered at once never runs: what its tool asks the client later must not count it.
    call.number ??= ENDED;
    run.outlet.answer(run.id, text);
    this.#take(call.number);
  }

  /** The SDK has answered. */
  #handBack(response: JSONRPCResponse): void {
    const run = this.#take(Number(response.id));
    run?.outlet.answer(run.id, answerText({ ...response, id: run.id }, run.id, this.#dependencies.allowance));
  }

  /** JSON-RPC 2.0 §5.1: an internal error reveals nothing about its cause. */
  #errorOf(cause: unknown, method: string) {
    const error = wordedError(cause);
    if (error instanceof RpcError) {
      const { code, message, data } = error;
      return { code, message, ...(data !== undefined && { data }) };
    }
    this.#dependencies.onFault(error, method);
    return { code: INTERNAL_ERROR, message: 'Internal error' };
  }

  async #ask(request: JSONRPCRequest, run: Run | undefined): Promise<void> {
    if (run) this.#asked.set(request.id, run.session.id);
    if (await run?.outlet.send({ ...request, id: `${this.#dependencies.replica}.${request.id}` })) return;
    this.#asked.delete(request.id);
    // A request that does not reach the client must fail, or its sender would wait forever.
    throw new Error('the client is not listening');
  }

  /** Translates the server's cancellation of a request to the longer id that the client knows. */
  #withdrawn(message: JSONRPCMessage): JSONRPCMessage {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return message;
    const { requestId, ...rest } = message.params ?? {};
    this.#asked.delete(requestId as RequestId);
    return { ...message, params: { ...rest, requestId: `${this.#dependencies.replica}.${requestId}` } };
  }

  #take(number: number): Run | undefined {
    const running = this.#running.get(number);
    if (!running) return undefined;
    const { run, call } = running;
    this.#running.delete(number);
    this.#numbers.delete(keyOf(run.session.id, run.id));
    if (call) this.#dependencies.allowance.end(run.principal, run.session.id);
    return run;
  }
}
