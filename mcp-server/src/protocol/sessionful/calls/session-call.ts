/**
 * Owns one request of a session while it runs, as the methods see it (MCP 2025-11-25 basic/utilities: progress, cancellation;
 * client: elicitation, sampling, roots).
 */

import type { ClientCapabilities, JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { type Soon, soon } from '../../../sessions/ports.ts';
import { type Call, type ClientNotification, type ClientRequest, ENDED } from '../../call.ts';
import type { LogLevel } from '../../define.ts';
import type { Run } from './outlet.ts';

/** Sends a request to the client of a running request. */
export type AskClient = (call: SessionCall, request: ClientRequest, signal: AbortSignal) => Promise<unknown>;

const NO_CAPABILITIES: ClientCapabilities = {};

/** Level of log messages for a client that has not set one. */
const LOG_LEVEL: LogLevel = 'info';

export class SessionCall implements Call {
  readonly progressToken: string | number | undefined;
  readonly run: Run;
  /** Its number on this replica, once it has become a running request. */
  number: number | undefined;
  readonly #askClient: AskClient;
  #controller: AbortController | undefined;
  #over: unknown;
  #ending: AbortController | undefined;

  constructor(run: Run, params: Readonly<Record<string, unknown>>, askClient: AskClient) {
    this.run = run;
    this.#askClient = askClient;
    this.progressToken = (params._meta as { progressToken?: string | number } | undefined)?.progressToken;
  }

  /** The principal of this very request: a session outlives its tokens and their scopes. */
  get principal() {
    return this.run.principal;
  }

  get audit() {
    return this.run.audit;
  }

  get accessToken(): string {
    return this.run.request.accessToken;
  }

  get session(): string {
    return this.run.session.id;
  }

  /** URIs of the session's resource subscriptions when the request came. */
  get subscriptions(): readonly string[] {
    return this.run.session.subscriptions;
  }

  get capabilities(): ClientCapabilities {
    return this.run.session.agreed?.params.capabilities ?? NO_CAPABILITIES;
  }

  /** The negotiated revision; absent until a session over HTTP+SSE is initialized. */
  get revision(): string | undefined {
    return this.run.session.agreed?.protocolVersion;
  }

  get logLevel(): LogLevel {
    return (this.run.session.logLevel as LogLevel | undefined) ?? LOG_LEVEL;
  }

  /** Created on first use: most calls end before, and an AbortController has a cost. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.over) this.#controller.abort(this.#over);
    return this.#controller.signal;
  }

  /** Created on first use, as few tools leave anything running. */
  get ended(): AbortSignal {
    this.#ending ??= new AbortController();
    return this.#ending.signal;
  }

  notify(notification: ClientNotification): Soon<void> {
    if (this.over) return undefined;
    return soon(this.run.outlet.send({ jsonrpc: '2.0', ...notification } as JSONRPCMessage), () => {});
  }

  async ask(request: ClientRequest): Promise<unknown> {
    const { signal } = this;
    signal.throwIfAborted();
    return this.#askClient(this, request, request.signal ? AbortSignal.any([signal, request.signal]) : signal);
  }

  releaseConnection(): Promise<void> {
    return this.run.outlet.releaseConnection();
  }

  /** Whether no client waits for the answer any more. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /**
   * The client has cancelled the request, or can't get the answer any more. The reason is an AbortError, so that a rejection which the tool
   * does not handle is recognized as a cancellation.
   */
  abort(reason = 'The request was cancelled'): void {
    this.#over ??= new DOMException(reason, 'AbortError');
    this.#controller?.abort(this.#over);
  }

  /** The method has returned or failed. */
  end(): void {
    this.#ending?.abort();
    this.#ending ??= ENDED;
  }
}
