/**
 * Owns how a route gets at a session: opening one for the caller, and finding one that is the caller's own (MCP security best
 * practices, "Session Hijacking").
 */
import type { ChangeFeed } from '../../sessions/change-feed.ts';
import type { Agreement, McpSession } from '../../sessions/session.ts';
import type { SessionHost } from '../../sessions/session-host.ts';
import type { Streams } from '../../sessions/streams.ts';
import type { McpRequest } from '../endpoints.ts';
import type { Multiplexer } from './calls/multiplexer.ts';
import type { Run } from './calls/outlet.ts';
import type { Incoming } from './json-rpc.ts';
import { NO_CAPACITY, refuse, SESSION_UNKNOWN, TOO_MANY_SESSIONS } from './refusals.ts';

export interface SessionAccess {
  readonly sessions: SessionHost;
  readonly streams: Streams;
  readonly changes: Pick<ChangeFeed, 'catchUp'>;
  readonly multiplexer: Multiplexer;
  /** Takes in what a client has sent; requests run for `origin`. @returns false when it answers a question nobody asked */
  dispatch(incoming: Incoming, origin: Omit<Run, 'id'>): Promise<boolean>;
  /** A request over HTTP+SSE has been answered. */
  settled(session: string): void;
  /** Whether the service is on its way down and takes nothing new. */
  readonly draining: () => boolean;
}

/** Opens a session; `undefined` when that has been refused. */
export async function openSession(
  { res, principal, log }: McpRequest,
  { sessions, draining }: SessionAccess,
  transport: McpSession['transport'],
  agreed?: Agreement,
): Promise<McpSession | undefined> {
  const opened = draining() ? 'server' : await sessions.open(principal, transport, agreed);
  if (opened !== 'principal' && opened !== 'server') return opened;
  log.warn({ limit: opened, subject: principal.subject, client: principal.clientId }, 'session refused');
  refuse(res, opened === 'principal' ? TOO_MANY_SESSIONS : NO_CAPACITY);
  return undefined;
}

/** Finds a session of the caller over one transport; `undefined` when that has been refused. */
export function findSession(
  request: McpRequest,
  { sessions }: SessionAccess,
  transport: McpSession['transport'],
  id: string,
): McpSession | undefined | Promise<McpSession | undefined> {
  const { res, principal, log } = request;
  const judge = (found: McpSession | 'unknown' | 'foreign'): McpSession | undefined => {
    if (found === 'foreign') {
      const who = { security: true, subject: principal.subject, client: principal.clientId };
      log.warn(who, 'session of another owner refused');
    }
    if (typeof found !== 'string' && found.transport === transport) return found;
    refuse(res, SESSION_UNKNOWN);
    return undefined;
  };
  const found = sessions.find(id, principal);
  return found instanceof Promise ? found.then(judge) : judge(found);
}
