/** Owns the port between HTTP and MCP: the requests that the lane passes on once they are authorized. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Owner, Principal } from '../authorization/principal.ts';

/** The path to which messages of an HTTP+SSE stream are posted; the stream tells it to its client. */
export const MESSAGES_PATH = '/messages';

/** A request with checked host, origin, token, scopes and body, and without an answer. */
export interface McpRequest {
  readonly req: IncomingMessage;
  /** Headers are gathered for its answer (CORS, request id): only the functions of `shared/http/answer` write them. */
  readonly res: ServerResponse;
  readonly principal: Principal;
  /** The parsed JSON body of a POST: an object or an array. */
  readonly message: unknown;
  /** The logger of this request, with its id. It is created when it is read, so read it where something is logged. */
  readonly log: Logger;
  /** The audit of this request: it adds who, from where, and the id. Created when it is read. Absent: there is none. */
  readonly audit?: Audit | undefined;
  /** The access token of this request. It goes to its issuer, and to nobody else. */
  readonly accessToken: string;
  /** Answers 403 `insufficient_scope` with this scope (RFC 6750 §3.1). Only before anything else was answered. */
  challenge(scope: string): void;
}

/** Answers on `res`. A rejection becomes a 500 if nothing has been sent, and else closes the connection. */
export type Endpoint = (request: McpRequest) => void | Promise<void>;

export interface Endpoints {
  /** POST, GET and DELETE of Streamable HTTP, of every revision. */
  readonly streamable: Endpoint;
  /** The GET that opens a stream of HTTP+SSE (2024-11-05). */
  readonly sseStream: Endpoint;
  /** The POST of a message to such a stream. */
  readonly sseMessage: Endpoint;
  /**
   * Starts the shutdown: closes open streams, whose clients reconnect to another replica. Running and later
   * requests are still served.
   */
  drain(): Drained;
  /** Number of running requests. */
  running(): number;
  /** Resolves when no request runs, and every message was sent or stored for its client. */
  finished(): Promise<void>;
  close(): Promise<void>;
}

/** The counts at the start of the shutdown. */
export interface Drained {
  readonly running: number;
  /** Number of streams that were closed. */
  readonly leaving: number;
}

/** What was ended because its token was revoked. */
export interface Revoked {
  readonly calls: number;
  readonly streams: number;
  /** The owners of the sessions. */
  readonly sessions: readonly Owner[];
}

/** The public description of a tool: for the landing page, the metadata document and the scope check. */
export interface ToolSummary {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Required in addition to the base scope. */
  readonly scopes: readonly string[];
  /** Whether it declares that it changes nothing. */
  readonly readOnly: boolean;
}
