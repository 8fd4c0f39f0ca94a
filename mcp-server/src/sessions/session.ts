/** Owns the record of an MCP session and the decisions about it, as pure functions (MCP 2025-11-25, "Session Management"). */
import type { Owner, Principal } from '../authorization/principal.ts';

/** Plain data: whichever replica reads it can serve the session. */
export interface McpSession {
  /** `Mcp-Session-Id`: 192 random bits, and yet no credential, as only its owner gets an answer. */
  readonly id: string;
  readonly owner: Owner;
  readonly transport: 'streamable-http' | 'http+sse';
  /** What was agreed upon, and what the client said to that end; absent until a session over HTTP+SSE is initialized. */
  readonly agreed?: Agreement;
  /** The least severe level of log messages that the client wants (`logging/setLevel`). */
  readonly logLevel?: string;
  /** URIs of the resources whose changes the client wants to hear of. */
  readonly subscriptions: readonly string[];
  /** Milliseconds since the epoch, as is `usedUntil`. */
  readonly created: number;
  /** When it was used last; ahead of now while a stream is open or a call runs. */
  readonly usedUntil: number;
  /** Seconds since the epoch: the latest end of all tokens that the owner has shown. */
  readonly tokenExpiresAt: number;
}

export interface Agreement {
  readonly protocolVersion: string;
  /** `params` of `initialize`. */
  readonly params: { readonly capabilities: Readonly<Record<string, unknown>> };
}

export interface SessionLimits {
  /** Seconds without a request, a running call or an open stream after which a session ends. */
  readonly idleTimeout: number;
  /** Seconds after which a session ends in any case. */
  readonly lifetime: number;
  readonly maxSessions: number;
  /** For one person, whatever clients they use: registration is free, so clients prove nothing. */
  readonly maxSessionsPerPrincipal: number;
}

/**
 * A stream may outlive the newest token of its owner for a minute, which is what a refresh takes; less the time between two
 * looks at it.
 */
const TOKEN_GRACE_SECONDS = 45;

export const ownerOf = ({ issuer, subject, clientId }: Principal): Owner => ({ issuer, subject, clientId });

/** Milliseconds since the epoch. */
export const endOf = ({ usedUntil, created }: McpSession, { idleTimeout, lifetime }: SessionLimits): number =>
  Math.min(usedUntil + idleTimeout * 1000, created + lifetime * 1000);

/** Whether what the owner has open must be closed. */
export const hasOutlivedToken = ({ tokenExpiresAt }: McpSession, now: number): boolean =>
  now / 1000 >= tokenExpiresAt + TOKEN_GRACE_SECONDS;
