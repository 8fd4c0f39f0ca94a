/**
 * Owns to which session a client comes back over HTTP+SSE (WHATWG HTML §9.2.4, `Last-Event-ID`). The revision itself knows no
 * coming back: an EventSource does it whenever its stream ends.
 */
import type { Agreement, McpSession } from '../../../sessions/session.ts';
import { STANDALONE } from '../../../sessions/streams.ts';
import type { McpRequest } from '../../endpoints.ts';
import { ownSession, type SessionAccess } from '../session-access.ts';
import { readEventId } from './stream-sink.ts';

export interface Return {
  /** Absent: a new one. */
  readonly session?: Pick<McpSession, 'id'>;
  /** The last event that the client says it has. */
  readonly after?: string;
  /** What the client has agreed upon in the session that it has lost. */
  readonly agreed?: Agreement;
}

/** What an EventSource shows decides; nothing that it shows is an error, as it would never come again. */
export async function returnOf(request: McpRequest, access: SessionAccess): Promise<Return> {
  const { 'last-event-id': last, 'mcp-protocol-version': revision } = request.req.headers;
  if (typeof last === 'string') return byEventId(last, request, access);
  return typeof revision === 'string' ? byOwner(revision, request, access) : {};
}

async function byEventId(last: string, request: McpRequest, { sessions }: SessionAccess): Promise<Return> {
  const position = readEventId(last);
  if (!position) return {};
  const found = await sessions.find(position.stream, request.principal);
  const session = ownSession(found, request, 'http+sse');
  return session ? { session, after: position.after } : {};
}

/**
 * The official TypeScript SDK comes back without the id of an event, but with the revision that it has agreed upon, which a
 * client at its first start can't know. So it is the owner of a session whose stream nobody holds: of the one, or it can't be
 * told of which, and what is on its way in one session must never be heard in another.
 */
async function byOwner(revision: string, request: McpRequest, access: SessionAccess): Promise<Return> {
  const { sessions, streams } = access;
  const theirs = await sessions.inUse(request.principal, 'http+sse');
  const alike = theirs.filter(({ agreed }) => agreed?.protocolVersion === revision);
  const heard = await Promise.all(alike.map(({ id }) => streams.isHeard({ session: id, stream: STANDALONE })));
  const [lost, ...others] = alike.filter((_, index) => !heard[index]);
  if (lost && others.length === 0) return { session: lost };
  if (lost) request.log.info({ sessions: others.length + 1 }, 'stream lost of several sessions, and a new one opened');
  // A connection that broke without a word is taken for one that is held, until somebody writes to it in vain.
  const agreed = (lost ?? alike.at(-1))?.agreed;
  return agreed ? { agreed } : {};
}
