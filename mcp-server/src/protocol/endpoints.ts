/** Owns the port between HTTP and MCP: what the routes of mcp-server hand over once a request is authorized. */

import type { RequestState } from '@mcp-oauth/shared/http/request-log';
import type { Middleware } from 'koa';
import type { Principal } from '../authorization/principal.ts';

/** Where the messages of an HTTP+SSE stream are posted to; the stream says so to its client. */
export const MESSAGES_PATH = '/messages';

/** What the onion has put on `ctx.state` before an endpoint runs. */
export interface AuthorizedState extends RequestState {
  principal: Principal;
  /** The parsed JSON body of a POST. */
  message: unknown;
}

export interface Endpoints {
  /** POST, GET and DELETE of Streamable HTTP. */
  readonly streamable: Middleware<AuthorizedState>;
  /** GET that opens a stream of HTTP+SSE (2024-11-05). */
  readonly sseStream: Middleware<AuthorizedState>;
  /** POST of a message to such a stream. */
  readonly sseMessage: Middleware<AuthorizedState>;
  /** Ends every open stream; calls that run go on. */
  drain(): void;
  close(): Promise<void>;
}

/** A tool as the outside sees it: for the landing page, the metadata document and the scope check. */
export interface ToolSummary {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Needed on top of the base scope. */
  readonly scope: string | undefined;
}
