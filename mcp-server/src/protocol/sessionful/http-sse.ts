/**
 * Owns the two routes of HTTP+SSE, the transport of MCP 2024-11-05 (basic/transports, "HTTP with SSE"): a GET that opens the
 * stream, and POSTs that are only acknowledged.
 */

import type { Middleware } from 'koa';
import type { AuthorizedState } from '../endpoints.ts';
import { readMessages, repeatsId } from './json-rpc.ts';
import { accept, INVALID_MESSAGE, REPEATED_ID, refuse } from './refusals.ts';
import { findSession, openSession, type SessionAccess } from './session-access.ts';
import { SseTransport } from './sse-transport.ts';

/** GET that opens the stream. */
export function createSseStream(access: SessionAccess, messagesPath: string): Middleware<AuthorizedState> {
  return async (ctx) => {
    const transport = new SseTransport();
    const session = await openSession(ctx, access, transport);
    if (!session) return;
    const { id } = session;
    ctx.respond = false;
    transport.listen(ctx.res, `${messagesPath}?sessionId=${id}`, () => void access.host.end(id));
  };
}

/** POST of one message; what it brings about comes on the stream. */
export function createSseMessage(access: SessionAccess): Middleware<AuthorizedState> {
  return async (ctx) => {
    const id = new URLSearchParams(ctx.querystring).get('sessionId');
    const live = await findSession(ctx, access, 'http+sse', id ?? '');
    if (!live) return;
    const incoming = readMessages(ctx.state.message);
    if (!incoming || incoming.batch) return refuse(ctx, INVALID_MESSAGE);
    if (repeatsId(incoming, live.conversation.running)) return refuse(ctx, REPEATED_ID);
    accept(ctx);
    live.conversation.receive(incoming, ctx.state.principal);
  };
}
