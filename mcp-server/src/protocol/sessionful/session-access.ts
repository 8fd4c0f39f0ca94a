/**
 * Owns how a route gets at a session: opening one for the caller, and finding one that is the caller's own (MCP security best
 * practices, "Session Hijacking").
 */

import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { McpSession } from '../../sessions/session.ts';
import type { LiveSession, SessionHost } from '../../sessions/session-host.ts';
import type { McpRequest } from '../endpoints.ts';
import { NO_CAPACITY, refuse, SESSION_UNKNOWN, TOO_MANY_SESSIONS } from './refusals.ts';
import type { SseTransport } from './sse-transport.ts';
import type { StreamableTransport } from './streamable-transport.ts';

export type SessionTransport = StreamableTransport | SseTransport;

export interface SessionAccess {
  readonly host: SessionHost<SessionTransport>;
  readonly newServer: () => Server;
  /** Whether the service is on its way down and takes nothing new. */
  readonly draining: () => boolean;
}

type Live<K extends McpSession['transport']> = LiveSession<Extract<SessionTransport, { kind: K }>>;

/** Opens a session and puts a server behind it; `undefined` when that has been refused. */
export async function openSession(
  { res, principal, log }: McpRequest,
  { host, newServer, draining }: SessionAccess,
  transport: SessionTransport,
  initialize?: Pick<McpSession, 'protocolVersion' | 'initialize'>,
): Promise<McpSession | undefined> {
  const opened = draining() ? 'server' : await host.open(principal, transport, initialize);
  if (opened === 'principal' || opened === 'server') {
    log.warn({ limit: opened, subject: principal.subject, client: principal.clientId }, 'session refused');
    refuse(res, opened === 'principal' ? TOO_MANY_SESSIONS : NO_CAPACITY);
    return undefined;
  }
  const server = newServer();
  server.onerror = (err) => log.debug({ err }, 'protocol error');
  await server.connect(transport);
  return opened.session;
}

/** Finds a session of the caller over one transport; `undefined` when that has been refused. */
export async function findSession<K extends McpSession['transport']>(
  { res, principal, log }: McpRequest,
  { host }: SessionAccess,
  kind: K,
  id: string,
): Promise<Live<K> | undefined> {
  const live = await host.find(id, principal);
  if (live === 'foreign') {
    log.warn(
      { security: true, subject: principal.subject, client: principal.clientId },
      'session of another owner refused',
    );
  }
  if (typeof live === 'string' || live.conversation.kind !== kind) {
    refuse(res, SESSION_UNKNOWN);
    return undefined;
  }
  return live as Live<K>;
}
