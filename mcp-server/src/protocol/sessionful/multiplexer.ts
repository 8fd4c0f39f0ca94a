/**
 * Owns how one SDK server serves every session of a replica: each request gets an id of this replica's own while it runs, so
 * that nothing is built per session or per request, and what the server asks of a client carries the replica in its id, so
 * that the answer finds back from wherever it arrives.
 */
import type { Transport, TransportSendOptions } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, JSONRPCRequest, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../authorization/principal.ts';
import type { McpSession } from '../../sessions/session.ts';

/** The way on which a client hears of its requests. */
export interface Outlet {
  /** Says something ahead of the answer. @returns false when this client can't be told */
  say(message: JSONRPCMessage): Promise<boolean>;
  answer(id: RequestId, response: JSONRPCMessage): void;
  /** A cancelled request gets no answer (MCP cancellation). */
  drop(id: RequestId): void;
  releaseConnection(): Promise<void>;
  /** Some time has passed. */
  tick(): void;
  /** The session is over: whatever has not been answered never will be. */
  abandon(): void;
}

/** A request of a client, while it runs here. */
export interface Run {
  readonly session: McpSession;
  readonly principal: Principal;
  /** As the client chose it; unique within its session only. */
  readonly id: RequestId;
  readonly outlet: Outlet;
}

export type Delivery = 'delivered' | 'unknown' | { readonly replica: string };

/** Who calls, for the handlers of the server; the token's bytes stay behind. */
const authInfo = (run: Run) => ({ token: '', clientId: run.principal.clientId, scopes: [], extra: { run } });

const keyOf = (session: string, id: RequestId): string => `${session} ${typeof id} ${id}`;

export class Multiplexer implements Transport {
  onmessage: Transport['onmessage'];
  onclose: Transport['onclose'];
  onerror: Transport['onerror'];
  readonly #replica: string;
  readonly #runs = new Map<number, Run>();
  /** By session and the client's own id. */
  readonly #numbers = new Map<string, number>();
  /** What clients have been asked and not yet answered, with the session. */
  readonly #asked = new Map<RequestId, string>();
  #count = 0;

  constructor(replica: string) {
    this.#replica = replica;
  }

  async start(): Promise<void> {}

  runs(): Iterable<Run> {
    return this.#runs.values();
  }

  isRunning(session: string, id: RequestId): boolean {
    return this.#numbers.has(keyOf(session, id));
  }

  run(request: JSONRPCRequest, run: Run): void {
    this.#count += 1;
    this.#runs.set(this.#count, run);
    this.#numbers.set(keyOf(run.session.id, run.id), this.#count);
    this.onmessage?.({ ...request, id: this.#count }, { authInfo: authInfo(run) });
  }

  /** Calls off a request. @returns false when it does not run here */
  cancel(session: string, id: RequestId, reason?: string): boolean {
    const number = this.#numbers.get(keyOf(session, id));
    if (number === undefined) return false;
    this.#cancel(number, reason);
    // Later, as the SDK first aborts the call, and what the call says to that should still go out.
    setImmediate(() => this.#take(number)?.outlet.drop(id));
    return true;
  }

  /** A client answers what it was asked, by whatever replica. */
  respond(session: string, message: JSONRPCMessage): Delivery {
    const id = 'id' in message ? message.id : undefined;
    const [, replica, number] = /^([0-9a-z]+)\.(\d+)$/.exec(String(id)) ?? [];
    if (replica === undefined) return 'unknown';
    if (replica !== this.#replica) return { replica };
    const asked = Number(number);
    // Whoever guesses the id of a question that another session was asked gets nowhere.
    if (this.#asked.get(asked) !== session) return 'unknown';
    this.#asked.delete(asked);
    this.onmessage?.({ ...message, id: asked } as JSONRPCMessage);
    return 'delivered';
  }

  /** The session is over. */
  end(session: string): void {
    for (const [number, run] of this.#runs) {
      if (run.session.id !== session) continue;
      this.#cancel(number, 'The session is over');
      this.#take(number);
      run.outlet.abandon();
    }
  }

  async send(message: JSONRPCMessage, { relatedRequestId }: TransportSendOptions = {}): Promise<void> {
    if (!('method' in message)) {
      const run = this.#take(Number(message.id));
      run?.outlet.answer(run.id, { ...message, id: run.id });
      return;
    }
    const run = this.#runs.get(Number(relatedRequestId));
    if ('id' in message) return this.#ask(message, run);
    await run?.outlet.say(this.#withdrawn(message));
  }

  async close(): Promise<void> {
    for (const { outlet } of this.#runs.values()) outlet.abandon();
    this.#runs.clear();
    this.#numbers.clear();
    this.#asked.clear();
    this.onclose?.();
  }

  async #ask(request: JSONRPCRequest, run: Run | undefined): Promise<void> {
    if (run) this.#asked.set(request.id, run.session.id);
    if (await run?.outlet.say({ ...request, id: `${this.#replica}.${request.id}` })) return;
    this.#asked.delete(request.id);
    // A question that reaches nobody must fail, or whoever asks waits for the answer in vain.
    throw new Error('the client is not listening');
  }

  /** The server takes a question back: the client knows it by its longer id. */
  #withdrawn(message: JSONRPCMessage): JSONRPCMessage {
    if (!('method' in message) || message.method !== 'notifications/cancelled') return message;
    const { requestId, ...rest } = message.params ?? {};
    this.#asked.delete(requestId as RequestId);
    return { ...message, params: { ...rest, requestId: `${this.#replica}.${requestId}` } };
  }

  #cancel(requestId: number, reason?: string): void {
    const params = { requestId, ...(reason !== undefined && { reason }) };
    this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
  }

  #take(number: number): Run | undefined {
    const run = this.#runs.get(number);
    if (!run) return undefined;
    this.#runs.delete(number);
    this.#numbers.delete(keyOf(run.session.id, run.id));
    return run;
  }
}
