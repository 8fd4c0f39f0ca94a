/** Owns the record of an MCP session and the decisions about it, as pure functions (MCP 2025-11-25, "Session Management"). */

import type { Owner, Principal } from '../authorization/principal.ts';

/** Plain data: it can be written down anywhere and read back by another replica. */
export interface McpSession {
  /** `Mcp-Session-Id`: 192 random bits, and yet no credential, as only its owner gets an answer. */
  readonly id: string;
  readonly owner: Owner;
  readonly transport: 'streamable-http' | 'http+sse';
  /** What was agreed upon, and what the client said to that end; absent until a session over HTTP+SSE is initialized. */
  readonly protocolVersion?: string;
  readonly initialize?: unknown;
  /** Milliseconds since the epoch, as is `lastSeen`. */
  readonly created: number;
  readonly lastSeen: number;
  /** Seconds since the epoch: the latest end of all tokens that the owner has shown. */
  readonly tokenExpiresAt: number;
}

/** A stream may outlive the newest token of its owner for so long, which is what a refresh takes. */
const TOKEN_GRACE_SECONDS = 60;

export const ownerOf = ({ issuer, subject, clientId }: Principal): Owner => ({ issuer, subject, clientId });

/** After a request of its owner. */
export const seen = (session: McpSession, now: number, tokenExpiresAt: number): McpSession => ({
  ...session,
  lastSeen: now,
  tokenExpiresAt: Math.max(session.tokenExpiresAt, tokenExpiresAt),
});

export const isIdle = (session: McpSession, now: number, idleTimeout: number): boolean =>
  now - session.lastSeen >= idleTimeout * 1000;

/** Whether what the owner has open must be closed. */
export const hasOutlivedToken = (session: McpSession, now: number): boolean =>
  now / 1000 >= session.tokenExpiresAt + TOKEN_GRACE_SECONDS;
