/**
 * Owns one request of a session while it runs, as the methods see it (MCP 2025-11-25 basic/utilities: progress, cancellation;
 * client: elicitation, sampling, roots).
 */
import type { ClientCapabilities, JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import type { Call, ClientNotification, ClientRequest } from '../../call.ts';
import type { LogLevel } from '../../define.ts';
import type { Run } from './outlet.ts';

/** Puts a question to the client of a request. */
export type Ask = (request: ClientRequest, signal: AbortSignal) => Promise<unknown>;

const NO_CAPABILITIES: ClientCapabilities = {};

/** What a client hears that has set no level. */
const LOG_LEVEL: LogLevel = 'info';

export class SessionCall implements Call {
  readonly progressToken: string | number | undefined;
  readonly #run: Run;
  readonly #ask: Ask;
  #controller: AbortController | undefined;
  #over: unknown;

  constructor(run: Run, params: Readonly<Record<string, unknown>>, ask: Ask) {
    this.#run = run;
    this.#ask = ask;
    const { progressToken } = (params._meta ?? {}) as { progressToken?: string | number };
    this.progressToken = progressToken;
  }

  /** Of the very request: a session outlives its tokens and their scopes. */
  get principal() {
    return this.#run.principal;
  }

  get session(): string {
    return this.#run.session.id;
  }

  /** URIs of the resources that the session follows, as far as was known when the request came. */
  get subscriptions(): readonly string[] {
    return this.#run.session.subscriptions;
  }

  get capabilities(): ClientCapabilities {
    return this.#run.session.agreed?.params.capabilities ?? NO_CAPABILITIES;
  }

  get logLevel(): LogLevel {
    return (this.#run.session.logLevel as LogLevel | undefined) ?? LOG_LEVEL;
  }

  /** Made when somebody looks: most calls are over before, and an AbortController is not for free. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.over) this.#controller.abort(this.#over);
    return this.#controller.signal;
  }

  async notify(notification: ClientNotification): Promise<void> {
    if (this.over) return;
    await this.#run.outlet.say({ jsonrpc: '2.0', ...notification } as JSONRPCMessage);
  }

  async ask(request: ClientRequest): Promise<unknown> {
    const { signal } = this;
    signal.throwIfAborted();
    return this.#ask(request, signal);
  }

  releaseConnection(): Promise<void> {
    return this.#run.outlet.releaseConnection();
  }

  /** Whether nobody waits for the answer any more. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** The client no longer wants the answer, or nobody is there to get it. */
  abort(reason = 'The request was cancelled'): void {
    this.#over ??= reason;
    this.#controller?.abort(reason);
  }
}
