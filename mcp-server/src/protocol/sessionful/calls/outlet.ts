/** Owns the port between a request that runs and the way on which its client hears of it. */
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Principal } from '../../../authorization/principal.ts';
import type { McpSession } from '../../../sessions/session.ts';

export interface Outlet {
  /** Says something ahead of the answer. @returns false when this client can't be told */
  say(message: JSONRPCMessage): Promise<boolean>;
  /** @throws before anything is said, when the response can't be written as JSON */
  answer(id: RequestId, response: JSONRPCMessage): void;
  /** A cancelled request gets no answer (MCP cancellation). */
  drop(id: RequestId): void;
  releaseConnection(): Promise<void>;
  /** Of several requests: resolves when the next one may begin; nothing when it may at once. */
  room?(): Promise<void> | undefined;
  /** Sends a keep-alive when one is due; called at a steady pace while the call runs. */
  checkKeepAlive(): void;
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
