/**
 * Owns the access of routes to sessions: opening one for the caller, and finding one that belongs to the caller
 * (MCP security best practices, "Session Hijacking").
 */

import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Allowance } from '../../allowance/allowance.ts';
import type { ChangeFeed } from '../../sessions/change-feed.ts';
import type { PendingRequests } from '../../sessions/pending-requests.ts';
import type { Agreement, McpSession, SessionLimits } from '../../sessions/session.ts';
import type { SessionHost } from '../../sessions/session-host.ts';
import type { Streams } from '../../sessions/streams.ts';
import type { McpRequest } from '../endpoints.ts';
import { requestIdOf } from '../wire/message-flaw.ts';
import type { Multiplexer } from './calls/multiplexer.ts';
import type { Run } from './calls/outlet.ts';
import { noCapacity, refuse, SESSION_UNKNOWN, tooManyRequests } from './error-responses.ts';
import type { Incoming } from './json-rpc.ts';
import type { Receipts } from './transports/receipts.ts';

export interface SessionAccess {
  readonly sessions: SessionHost;
  readonly streams: Streams;
  readonly changes: Pick<ChangeFeed, 'catchUp'>;
  readonly pendingRequests: PendingRequests;
  readonly multiplexer: Multiplexer;
  readonly allowance: Allowance;
  readonly receipts: Receipts;
  readonly limits: Pick<SessionLimits, 'maxSessions' | 'maxSessionsPerPrincipal'>;
  /**
   * Handles the messages of a client; requests run for `origin`.
   * @returns false when a response matches no open request
   */
  dispatch(incoming: Incoming, origin: Omit<Run, 'id'>): boolean | Promise<boolean>;
  /** A call of a session has ended: during shutdown, its streams may be closed now. */
  settled(session: string): void;
  /** Called with the error of work that nobody waits for. */
  onFailure(error: unknown): void;
}

interface Opening {
  readonly transport: McpSession['transport'];
  readonly agreed?: Agreement | undefined;
  /** Id of the request that opens the session. */
  readonly id?: RequestId | undefined;
}

/** Seconds after which one of a person's sessions may have ended. */
const SESSION_ENDS = '30';

/** Opens a session; `undefined` when the request was refused and answered. */
export async function openSession(
  request: McpRequest,
  { sessions, allowance, limits }: SessionAccess,
  { transport, agreed, id }: Opening,
): Promise<McpSession | undefined> {
  const { res, principal, audit } = request;
  const opened = await sessions.open(principal, transport, agreed);
  if (opened !== 'principal' && opened !== 'server') {
    const details = { transport, revision: agreed?.protocolVersion };
    audit?.({ event: 'session.opened', outcome: 'ok', details });
    return opened;
  }
  request.log.warn({ limit: opened, subject: principal.subject, client: principal.clientId }, 'session refused');
  audit?.({ event: 'session.refused', outcome: 'refused', reason: `limit of the ${opened}` });
  const error =
    opened === 'principal'
      ? tooManyRequests(allowance.reached('MAX_SESSIONS_PER_PRINCIPAL', limits.maxSessionsPerPrincipal), SESSION_ENDS)
      : noCapacity(allowance.reached('MAX_SESSIONS', limits.maxSessions));
  refuse(res, error, id);
  return undefined;
}

/** Finds a session of the caller over one transport; `undefined` when the request was refused and answered. */
export function findSession(
  request: McpRequest,
  access: SessionAccess,
  transport: McpSession['transport'],
  id: string,
): McpSession | undefined | Promise<McpSession | undefined> {
  const judge = (session: McpSession | undefined): McpSession | undefined => {
    if (!session) refuse(request.res, SESSION_UNKNOWN, requestIdOf(request.message));
    return session;
  };
  const found = seekSession(request, access, transport, id);
  return found instanceof Promise ? found.then(judge) : judge(found);
}

/** Finds a session of the caller over one transport; never answers the request. */
export function seekSession(
  request: McpRequest,
  { sessions }: SessionAccess,
  transport: McpSession['transport'],
  id: string,
): McpSession | undefined | Promise<McpSession | undefined> {
  const found = sessions.find(id, request.principal);
  return found instanceof Promise
    ? found.then((late) => ownSession(late, request, transport))
    : ownSession(found, request, transport);
}

type Found = Awaited<ReturnType<SessionHost['find']>>;

/** The session, if it belongs to the caller; logs an attempt to use a session of somebody else. */
export function ownSession(
  found: Found,
  request: McpRequest,
  transport: McpSession['transport'],
): McpSession | undefined {
  if (found === 'foreign') {
    const { principal, log, audit } = request;
    const who = { security: true, subject: principal.subject, client: principal.clientId };
    log.warn(who, 'session of another owner refused');
    audit?.({ event: 'session.refused', outcome: 'refused', reason: 'session of another owner' });
  }
  return typeof found !== 'string' && found.transport === transport ? found : undefined;
}

/** Whether a limit of this person refuses one more request; the request was answered then (RFC 6585 §4). */
export function isRefused(
  request: McpRequest,
  { allowance }: SessionAccess,
  { requests }: Incoming,
  session: McpSession,
): boolean {
  const { res, principal } = request;
  const [asked] = requests;
  // A ping always runs: a client that waits for its calls uses it to check that the server is alive.
  const limit = asked && asked.method !== 'ping' && allowance.runningLimit(principal, session.id);
  if (!limit) return false;
  request.log.warn({ limit, subject: principal.subject, client: principal.clientId }, 'request refused');
  refuse(res, tooManyRequests(allowance.runningReached(limit)), asked.id);
  return true;
}
