/**
 * Owns how a route gets at a session: opening one for the caller, and finding one that is the caller's own (MCP security best
 * practices, "Session Hijacking").
 */

import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { ParameterizedContext } from 'koa';
import type { McpSession } from '../../sessions/session.ts';
import type { LiveSession, SessionHost } from '../../sessions/session-host.ts';
import type { AuthorizedState } from '../endpoints.ts';
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

type Ctx = ParameterizedContext<AuthorizedState>;
type Live<K extends McpSession['transport']> = LiveSession<Extract<SessionTransport, { kind: K }>>;

/** Opens a session and puts a server behind it; `undefined` when that has been refused. */
export async function openSession(
  ctx: Ctx,
  { host, newServer, draining }: SessionAccess,
  transport: SessionTransport,
  initialize?: Pick<McpSession, 'protocolVersion' | 'initialize'>,
): Promise<McpSession | undefined> {
  const { principal, log } = ctx.state;
  const opened = draining() ? 'server' : await host.open(principal, transport, initialize);
  if (opened === 'principal' || opened === 'server') {
    log.warn({ limit: opened, subject: principal.subject, client: principal.clientId }, 'session refused');
    refuse(ctx, opened === 'principal' ? TOO_MANY_SESSIONS : NO_CAPACITY);
    return undefined;
  }
  const server = newServer();
  server.onerror = (err) => log.debug({ err }, 'protocol error');
  await server.connect(transport);
  return opened.session;
}

/** Finds a session of the caller over one transport; `undefined` when that has been refused. */
export async function findSession<K extends McpSession['transport']>(
  ctx: Ctx,
  { host }: SessionAccess,
  kind: K,
  id: string,
): Promise<Live<K> | undefined> {
  const { principal, log } = ctx.state;
  const live = await host.find(id, principal);
  if (live === 'foreign') {
    log.warn(
      { security: true, subject: principal.subject, client: principal.clientId },
      'session of another owner refused',
    );
  }
  if (typeof live === 'string' || live.conversation.kind !== kind) {
    refuse(ctx, SESSION_UNKNOWN);
    return undefined;
  }
  return live as Live<K>;
}
