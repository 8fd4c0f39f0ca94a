/** Owns the port between HTTP and MCP: what the lane of mcp-server hands over once a request is authorized. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { Principal } from '../authorization/principal.ts';

/** Where the messages of an HTTP+SSE stream are posted to; the stream says so to its client. */
export const MESSAGES_PATH = '/messages';

/** A request whose host, origin, token, scopes and body have been checked; nothing has been answered yet. */
export interface McpRequest {
  readonly req: IncomingMessage;
  /** May have headers set (CORS, request id): answer with `writeHead`, which keeps them. */
  readonly res: ServerResponse;
  readonly principal: Principal;
  /** The parsed JSON body of a POST: an object or an array. */
  readonly message: unknown;
  /** Of this request: carries its id. */
  readonly log: Logger;
}

/** Answers on `res`. A rejection becomes a 500 while nothing has been sent, and ends the connection after that. */
export type Endpoint = (request: McpRequest) => void | Promise<void>;

export interface Endpoints {
  /** POST, GET and DELETE of Streamable HTTP, of every revision. */
  readonly streamable: Endpoint;
  /** GET that opens a stream of HTTP+SSE (2024-11-05). */
  readonly sseStream: Endpoint;
  /** POST of a message to such a stream. */
  readonly sseMessage: Endpoint;
  /** Tells the clients of open streams to come back to somebody else; calls that run go on, and so does what still comes. */
  drain(): Drained;
  /** Requests that run. */
  running(): number;
  /** Resolves when nothing runs any more, and all that was said is where its client can get it. */
  finished(): Promise<void>;
  close(): Promise<void>;
}

/** What there was on the way down. */
export interface Drained {
  readonly running: number;
  /** Streams whose clients were told to come back. */
  readonly leaving: number;
}

/** A tool as the outside sees it: for the landing page, the metadata document and the scope check. */
export interface ToolSummary {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Needed on top of the base scope. */
  readonly scopes: readonly string[];
}
