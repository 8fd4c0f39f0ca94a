/**
 * Owns the port between an era and the methods that every era serves: what a running request can do with its client,
 * whatever revision of MCP the two speak.
 */
import type { ClientCapabilities } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../authorization/principal.ts';
import type { LogLevel } from './define.ts';

/** What a server can ask of its client while a request runs. */
export interface ClientRequest {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: Readonly<Record<string, unknown>>;
  /**
   * What the author calls the question: its key among `inputRequests` and `inputResponses` of 2026-07-28. A client that knows
   * what will be asked may answer under it in its first request, without a `requestState` (MCP basic/patterns/mrtr).
   */
  readonly key?: string;
}

export interface ClientNotification {
  readonly method: 'notifications/progress' | 'notifications/message';
  readonly params: Readonly<Record<string, unknown>>;
}

/** One request of a client, while it runs. */
export interface Call {
  readonly principal: Principal;
  /** Aborted when the client cancels the request, or whoever would read the answer is gone for good. */
  readonly signal: AbortSignal;
  readonly capabilities: ClientCapabilities;
  /** The least severe level that the client wants to hear; absent: it wants none. */
  readonly logLevel: LogLevel | undefined;
  /** With what the client wants to be told about progress; absent: it does not. */
  readonly progressToken: string | number | undefined;
  /** Says something ahead of the answer; it is lost, and that is no error, when the client can't be told. */
  notify(notification: ClientNotification): Promise<void>;
  /**
   * Asks the client, which has the capability (the caller has looked), and waits for its answer. In 2026-07-28 the promise
   * may never settle: the request then ends with the question, and runs once more when the client comes with the answer.
   * @throws Error when nobody can be asked or nobody answers in time
   */
  ask(request: ClientRequest): Promise<unknown>;
  /** Lets go of the connection where the revision lets the client come back for the rest; does nothing elsewhere. */
  releaseConnection(): Promise<void>;
}

/**
 * Serves one method of MCP in every era. Gets the `params` as they came, an object at the least, and checks them.
 * @throws RpcError for what the client did wrong
 */
export type Method = (params: Readonly<Record<string, unknown>>, call: Call) => unknown;

/** By the name of the method. */
export type Methods = ReadonlyMap<string, Method>;

/** A JSON-RPC error as it goes on the wire; the SDK's own class writes its code into the message. */
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
