/** Owns the port between a running request and the connection or log that carries its messages to the client. */

import type { Audit } from '@mcp-oauth/shared/audit/entry';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../../authorization/principal.ts';
import type { Soon } from '../../../sessions/ports.ts';
import type { McpSession } from '../../../sessions/session.ts';
import type { McpRequest } from '../../endpoints.ts';

export interface Outlet {
  /** Sends a message before the answer. @returns false when this client can't get it */
  send(message: JSONRPCMessage): Soon<boolean>;
  /** @param response as JSON text */
  answer(id: RequestId, response: string): void;
  /** Whether HTTP can still answer the request itself: nothing was written, and no other request shares the answer. */
  isUntouched(): boolean;
  /** A cancelled request gets no answer (MCP cancellation). */
  drop(id: RequestId): void;
  releaseConnection(): Promise<void>;
  /** For a batch: resolves when the next request may start; nothing when it may start immediately. */
  ready?(): Promise<void> | undefined;
  /** Sends a keep-alive when one is due; called at a steady pace while the call runs. */
  checkKeepAlive(): void;
  /**
   * Requests without an answer get none from here on.
   * @param isOver whether the session has ended: then they get an error if a connection of this replica reads their stream, and nothing
   *   is left of it in the log. Else the server stops, and another one goes on with the session.
   */
  abandon(isOver: boolean): void;
}

/** A client's request while it runs here. */
export interface Run {
  readonly session: McpSession;
  readonly principal: Principal;
  readonly audit?: Audit | undefined;
  /** The HTTP request that brought it. */
  readonly request: Pick<McpRequest, 'accessToken' | 'challenge'>;
  /** Chosen by the client; unique within its session only. */
  readonly id: RequestId;
  readonly outlet: Outlet;
}
