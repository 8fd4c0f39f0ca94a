/**
 * Owns the two routes of HTTP+SSE, the transport of MCP 2024-11-05 (basic/transports, "HTTP with SSE"): a GET that opens the
 * stream, and POSTs that are only acknowledged.
 */

import type { Endpoint } from '../endpoints.ts';
import { readMessages, repeatsId } from './json-rpc.ts';
import { accept, INVALID_MESSAGE, REPEATED_ID, refuse } from './refusals.ts';
import { findSession, openSession, type SessionAccess } from './session-access.ts';
import { SseTransport } from './sse-transport.ts';

/** GET that opens the stream. */
export function createSseStream(access: SessionAccess, messagesPath: string): Endpoint {
  return async (request) => {
    const transport = new SseTransport();
    const session = await openSession(request, access, transport);
    if (!session) return;
    const { id } = session;
    transport.listen(request.res, `${messagesPath}?sessionId=${id}`, () => void access.host.end(id));
  };
}

/** POST of one message; what it brings about comes on the stream. */
export function createSseMessage(access: SessionAccess): Endpoint {
  return async (request) => {
    const { req, res, principal, message } = request;
    const id = new URLSearchParams(req.url?.split('?')[1]).get('sessionId');
    const live = await findSession(request, access, 'http+sse', id ?? '');
    if (!live) return;
    const incoming = readMessages(message);
    if (!incoming || incoming.batch) return refuse(res, INVALID_MESSAGE);
    if (repeatsId(incoming, live.conversation.running)) return refuse(res, REPEATED_ID);
    accept(res);
    live.conversation.receive(incoming, principal);
  };
}
