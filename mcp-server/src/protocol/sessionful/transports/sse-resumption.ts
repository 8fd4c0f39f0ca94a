/**
 * Owns the choice of the session that a client resumes over HTTP+SSE (WHATWG HTML §9.2.4, `Last-Event-ID`). The
 * revision itself has no resumption, but an EventSource reconnects whenever its stream ends.
 */
import type { Agreement, McpSession } from '../../../sessions/session.ts';
import { STANDALONE } from '../../../sessions/streams.ts';
import type { McpRequest } from '../../endpoints.ts';
import { ownSession, type SessionAccess } from '../session-access.ts';
import { readEventId } from './stream-sink.ts';

export interface Resumption {
  /** Absent: open a new session. */
  readonly session?: Pick<McpSession, 'id'>;
  /** The last event that the client has, as it says. */
  readonly after?: string;
  /** The negotiated parameters of the session that the client has lost. */
  readonly agreed?: Agreement;
}

/**
 * Decides by the headers of an EventSource. None of them leads to an error, as an EventSource does not reconnect
 * after one.
 */
export async function resumptionOf(request: McpRequest, access: SessionAccess): Promise<Resumption> {
  const { 'last-event-id': last, 'mcp-protocol-version': revision } = request.req.headers;
  if (typeof last === 'string') return byEventId(last, request, access);
  return typeof revision === 'string' ? byOwner(revision, request, access) : {};
}

async function byEventId(last: string, request: McpRequest, { sessions }: SessionAccess): Promise<Resumption> {
  const position = readEventId(last);
  if (!position) return {};
  const found = await sessions.find(position.stream, request.principal);
  const session = ownSession(found, request, 'http+sse');
  return session ? { session, after: position.after } : {};
}

/**
 * The official TypeScript SDK reconnects without an event id, but with its negotiated revision, which a client
 * can't know at its first start. So the request is of the owner of a session whose stream no connection reads. Only
 * if there is exactly one such session is it resumed: messages of one session must never reach another.
 */
async function byOwner(revision: string, request: McpRequest, access: SessionAccess): Promise<Resumption> {
  const { sessions, streams } = access;
  const theirs = await sessions.inUse(request.principal, 'http+sse');
  const alike = theirs.filter(({ agreed }) => agreed?.protocolVersion === revision);
  const hasReader = await Promise.all(alike.map(({ id }) => streams.hasReader({ session: id, stream: STANDALONE })));
  const [lost, ...others] = alike.filter((_, index) => !hasReader[index]);
  if (lost && others.length === 0) {
    const found = await sessions.find(lost.id, request.principal);
    if (typeof found !== 'string') return { session: found };
  }
  if (lost) request.log.info({ sessions: others.length + 1 }, 'several sessions without a stream, new session opened');
  // A connection that broke silently counts as open until a write to it fails.
  const agreed = (lost ?? alike.at(-1))?.agreed;
  return agreed ? { agreed } : {};
}
