/**
 * Owns the port between an era and the methods that all eras serve: how a running request communicates with its
 * client in every revision of MCP.
 */

import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../authorization/principal.ts';
import type { Soon } from '../sessions/ports.ts';
import type { LogLevel } from './define.ts';

/** A request of the server to its client while a client's request runs. */
export interface ClientRequest {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: Readonly<Record<string, unknown>>;
  /**
   * The author's name for the request: its key in `inputRequests` and `inputResponses` of 2026-07-28. A client that
   * knows the name may send the response with its first request, without a `requestState` (MCP
   * basic/patterns/mrtr).
   */
  readonly key?: string;
  /** Withdraws the request, whose response is not needed any more. */
  readonly signal?: AbortSignal;
}

export interface ClientNotification {
  readonly method: 'notifications/progress' | 'notifications/message' | 'notifications/elicitation/complete';
  readonly params: Readonly<Record<string, unknown>>;
}

/** The rounds of a request that ends with each question (MCP 2026-07-28 basic/patterns/mrtr). */
export interface Rounds {
  /** An answer of the client, or a note of the round before. */
  known(name: string): unknown;
  /** Keeps a note for the next round, however this one ends. */
  note(name: string, value: unknown): void;
  /** Ends this round without a question: the client sends the request again at once. The promise never settles. */
  again(): Promise<never>;
}

/** The signal of a call that has ended without one. */
export const ENDED = new AbortController();
ENDED.abort();

/** A client's request while it runs. */
export interface Call {
  readonly principal: Principal;
  /** The audit of its request; absent: there is none. */
  readonly audit?: Audit | undefined;
  /** The access token of its request, which goes to its issuer only. */
  readonly accessToken: string;
  /** Aborted when the client cancels the request, or no client can get the answer any more. */
  readonly signal: AbortSignal;
  /**
   * Aborted once the tool, resource or prompt has returned or failed, or its run is abandoned: what it has left running is of no use to
   * anybody, and nobody handles an error of it.
   */
  readonly ended: AbortSignal;
  readonly capabilities: ClientCapabilities;
  /** The least severe level of log messages that the client wants; absent: none. */
  readonly logLevel: LogLevel | undefined;
  /** The token for progress notifications; absent: the client wants none. */
  readonly progressToken: string | number | undefined;
  /** Sends a notification before the answer. It is dropped without an error when the client can't get it. */
  notify(notification: ClientNotification): Soon<void>;
  /**
   * Sends a request to the client and waits for the response. The caller has checked that the client has the
   * capability. In 2026-07-28 the promise may never settle: the client's request then ends with this request, and
   * runs again with the response.
   * @throws Error when the client can't be asked or does not respond in time
   */
  ask(request: ClientRequest): Promise<unknown>;
  /** Absent where a call goes on by itself after a question. */
  readonly rounds?: Rounds | undefined;
  /** Calls back when a question has ended the request, and its run is abandoned. Absent: no question ends a request. */
  onAbandoned?(listener: () => void): void;
  /** Closes the connection where the revision lets the client resume; does nothing elsewhere. */
  releaseConnection(): Promise<void>;
}

/**
 * Serves one method of MCP in every era. Gets `params` unchecked, but always an object.
 * @throws RpcError for a mistake of the client
 */
export type Method = (params: Readonly<Record<string, unknown>>, call: Call) => unknown;

/** By method name. */
export type Methods = ReadonlyMap<string, Method>;

/** A JSON-RPC error as it is sent; the SDK's own class adds the code to the message. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}
