/**
 * Owns the requests of all sessions that run on this replica. Each has a number that is unique on the replica, so
 * that nothing is built for each session. The id of a request to a client starts with the replica's name, so that
 * any replica can forward the response.
 */
import { INTERNAL_ERROR, LIMIT_REACHED, TOKEN_REVOKED } from '@mcp-oauth/shared/json-rpc-codes';
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, JSONRPCRequest, RequestId, Result } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance } from '../../../allowance/allowance.ts';
import type { IsRevoked } from '../../../authorization/status/reference.ts';
import { type Method, type Methods, RpcError } from '../../call.ts';
import type { Run } from './outlet.ts';
import type { SessionServer } from './server.ts';
import { SessionCall } from './session-call.ts';

export type Delivery = 'delivered' | 'unknown' | { readonly replica: string };

export interface MultiplexerDependencies {
  readonly replica: string;
  /** The SDK answers methods that are not in this table. */
  readonly methods: Methods;
  readonly server: SessionServer;
  readonly allowance: Allowance;
  readonly onFault: (error: unknown, method: string) => void;
}

interface Running extends Run {
  /** Absent for a request that the SDK answers. */
  readonly call: SessionCall | undefined;
}

const REVOKED = 'The access token of this request was revoked';

const keyOf = (session: string, id: RequestId): string => `${session} ${typeof id} ${id}`;

export class Multiplexer implements Transport {
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly #dependencies: MultiplexerDependencies;
  readonly #running = new Map<number, Running>();
  /** By session and the client's own id. */
  readonly #numbers = new Map<string, number>();
  /** Requests of batches that have not started, by session and the client's own id. */
  readonly #queued = new Map<string, Run>();
  /** Session of each request to a client that has no response yet, by id. */
  readonly #asked = new Map<RequestId, string>();
  #numbered = 0;

  constructor(dependencies: MultiplexerDependencies) {
    this.#dependencies = dependencies;
  }

  async start(): Promise<void> {}

  runs(): Iterable<Run> {
    return this.#running.values();
  }

  /** Number of requests that run or are queued. */
  get count(): number {
    return this.#running.size + this.#queued.size;
  }

  isRunning(session: string, id: RequestId): boolean {
    const key = keyOf(session, id);
    return this.#numbers.has(key) || (this.#queued.size > 0 && this.#queued.has(key));
  }

  /** A request will start later. Its id is in use, and it can be cancelled. */
  queue(run: Run): void {
    this.#queued.set(keyOf(run.session.id, run.id), run);
  }

  /** The request starts now. @returns false when it was cancelled */
  unqueue({ session, id }: Run): boolean {
    return this.#queued.delete(keyOf(session.id, id));
  }

  run(request: JSONRPCRequest, run: Run): void {
    const { methods, server, allowance } = this.#dependencies;
    const method = methods.get(request.method);
    // Requests that the SDK answers, such as ping, end immediately.
    const limit = method && allowance.runningLimit(run.principal, run.session.id);
    if (limit) {
      this.#refuse(run, limit);
      return;
    }
    if (method) allowance.begin(run.principal, run.session.id);
    this.#numbered += 1;
    const number = this.#numbered;
    const { params = {} } = request;
    const call = method && new SessionCall(run, params, (asked, signal) => server.ask(number, asked, signal));
    const { session, principal, id, outlet } = run;
    this.#running.set(number, { session, principal, id, outlet, call });
    this.#numbers.set(keyOf(session.id, id), number);
    if (call) this.#execute(number, request.method, () => method(params, call));
    else this.onmessage?.({ ...request, id: number });
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
      outlet.answer(id, { jsonrpc: '2.0', id, error: { code: TOKEN_REVOKED, message: REVOKED } });
    };
    for (const run of this.#queued.values()) if (isRevoked(run.principal) && this.unqueue(run)) refuse(run);
    for (const [number, run] of this.#running) {
      if (!isRevoked(run.principal)) continue;
      run.call?.abort(REVOKED);
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
      if (run.session.id === session && this.unqueue(run)) run.outlet.abandon();
    }
    for (const [number, { session: its, call, outlet }] of this.#running) {
      if (its.id !== session) continue;
      call?.abort('The session has ended');
      this.#take(number);
      outlet.abandon();
    }
  }

  /** Sends a message of the SDK's server. */
  async send(message: JSONRPCMessage, { relatedRequestId }: TransportSendOptions = {}): Promise<void> {
    if (!('method' in message)) return this.#answer(Number(message.id), message);
    const run = this.#running.get(Number(relatedRequestId));
    if ('id' in message) return this.#ask(message, run);
    await run?.outlet.send(this.#withdrawn(message));
  }

  async close(): Promise<void> {
    for (const { call, outlet } of this.#running.values()) {
      call?.abort('The server is shutting down');
      outlet.abandon();
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
    const error = { code: LIMIT_REACHED, ...this.#dependencies.allowance.runningReached(limit) };
    outlet.answer(id, { jsonrpc: '2.0', id, error });
  }

  #execute(number: number, name: string, method: () => ReturnType<Method>): void {
    const succeed = (result: unknown) => this.#answer(number, { jsonrpc: '2.0', id: 0, result: result as Result });
    const fail = (error: unknown) => this.#answer(number, { jsonrpc: '2.0', id: 0, error: this.#errorOf(error, name) });
    try {
      const result = method();
      if (result instanceof Promise) result.then(succeed).catch(fail);
      else succeed(result);
    } catch (error) {
      fail(error);
    }
  }

  /** JSON-RPC 2.0 §5.1: an internal error reveals nothing about its cause. */
  #errorOf(error: unknown, method: string) {
    if (error instanceof RpcError) {
      const { code, message, data } = error;
      return { code, message, ...(data !== undefined && { data }) };
    }
    this.#dependencies.onFault(error, method);
    return { code: INTERNAL_ERROR, message: 'Internal error' };
  }

  /** Does nothing for a request that was cancelled. */
  #answer(number: number, response: JSONRPCMessage): void {
    const run = this.#running.get(number);
    if (!run || run.call?.over) return;
    // Must be first: this throws when the response can't be written as JSON, and an error is sent then.
    run.outlet.answer(run.id, { ...response, id: run.id } as JSONRPCMessage);
    this.#take(number);
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
    const run = this.#running.get(number);
    if (!run) return undefined;
    this.#running.delete(number);
    this.#numbers.delete(keyOf(run.session.id, run.id));
    if (run.call) this.#dependencies.allowance.end(run.principal, run.session.id);
    return run;
  }
}
