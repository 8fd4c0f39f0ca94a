/** Owns the record of an MCP session and the decisions about it, as pure functions (MCP 2025-11-25, "Session Management"). */
import type { Owner, Principal } from '../authorization/principal.ts';
import type { Referring, StatusReference } from '../authorization/status/reference.ts';

/** Plain data: any replica that reads it can serve the session. */
export interface McpSession {
  /** `Mcp-Session-Id`: 192 random bits, but no credential, as only the owner of the session gets an answer. */
  readonly id: string;
  readonly owner: Owner;
  readonly transport: 'streamable-http' | 'http+sse';
  /** The negotiated revision, and the client's parameters; absent until a session over HTTP+SSE is initialized. */
  readonly agreed?: Agreement;
  /** The least severe level of log messages that the client wants (`logging/setLevel`). */
  readonly logLevel?: string;
  /** URIs of the resources whose changes the client subscribes to. */
  readonly subscriptions: readonly string[];
  /** Milliseconds since the epoch, as is `usedUntil`. */
  readonly created: number;
  /** When the session was used last; in the future while a stream is open or a call runs. */
  readonly usedUntil: number;
  /** Seconds since the epoch: the latest expiry of all tokens that the owner has sent. */
  readonly tokenExpiresAt: number;
  /** Where the issuer says whether that token was revoked; absent: nowhere. */
  readonly status?: StatusReference;
}

export interface Agreement {
  readonly protocolVersion: string;
  /** `params` of `initialize`. */
  readonly params: { readonly capabilities: Readonly<Record<string, unknown>> };
}

export interface SessionLimits {
  /** Seconds without a request, a running call or an open stream after which a session ends. */
  readonly idleTimeout: number;
  /** Seconds after which a session ends even when it is in use. */
  readonly lifetime: number;
  readonly maxSessions: number;
  /** Counted for one person across all clients: registration is open to everybody, so a client id proves nothing. */
  readonly maxSessionsPerPrincipal: number;
}

/**
 * Seconds that a stream may outlive the newest token of its owner: a minute, the time of a token refresh, less the
 * time between two checks, which is 22.5 s at most for one of many streams.
 */
const TOKEN_GRACE_SECONDS = 37;

export const ownerOf = ({ issuer, subject, clientId }: Principal): Owner => ({ issuer, subject, clientId });

/** A session whose owner has shown this token, the one that expires last. What holds for the token alone is not kept. */
export function withToken(session: Omit<McpSession, 'tokenExpiresAt'>, { expiresAt, status }: Principal): McpSession {
  const { status: _, ...rest } = session;
  return { ...rest, tokenExpiresAt: expiresAt, ...(status && { status: { uri: status.uri, idx: status.idx } }) };
}

export const referringOf = ({ owner, status }: McpSession): Referring => ({ issuer: owner.issuer, status });

/** Whether a request with this token shows nothing new about the session: the token itself was checked before. */
export const isOfToken = ({ status }: McpSession, { status: shown }: Principal): boolean =>
  status === undefined || (shown !== undefined && status.uri === shown.uri && status.idx === shown.idx);

/** Milliseconds since the epoch. */
export const endOf = ({ usedUntil, created }: McpSession, { idleTimeout, lifetime }: SessionLimits): number =>
  Math.min(usedUntil + idleTimeout * 1000, created + lifetime * 1000);

/** Whether the open streams and calls of the owner must be closed. */
export const hasOutlivedToken = ({ tokenExpiresAt }: McpSession, now: number): boolean =>
  now / 1000 >= tokenExpiresAt + TOKEN_GRACE_SECONDS;
