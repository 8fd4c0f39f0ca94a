/**
 * Owns the two routes of HTTP+SSE, the transport of MCP 2024-11-05 (basic/transports, "HTTP with SSE"): a GET that opens the
 * stream, which is the session, and POSTs that any replica may get. They run where they land; what they bring about goes
 * through the log to the replica that holds the stream.
 */
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { McpSession } from '../../sessions/session.ts';
import { STANDALONE } from '../../sessions/streams.ts';
import type { Endpoint } from '../endpoints.ts';
import { EventStream } from '../event-stream.ts';
import type { Outlet } from './calls/outlet.ts';
import { agreement, readMessages, repeatsId } from './json-rpc.ts';
import { accept, INVALID_INITIALIZE, INVALID_MESSAGE, REPEATED_ID, refuse, SESSION_UNKNOWN } from './refusals.ts';
import { findSession, openSession, type SessionAccess } from './session-access.ts';

/** GET that opens the stream. */
export function createSseStream(access: SessionAccess, messagesPath: string): Endpoint {
  const { sessions, streams, changes } = access;
  return async (request) => {
    const session = await openSession(request, access, 'http+sse');
    if (!session) return;
    const { id } = session;
    const end = () => void sessions.end(id).catch(() => {});
    const name = { session: id, stream: STANDALONE };
    const attachment = await streams.attach(name, (detach) => {
      const response = new EventStream(request.res, () => {
        detach();
        end();
      });
      // A relative URL holds behind any gateway.
      response.send({ event: 'endpoint', data: `${messagesPath}?sessionId=${id}` });
      return {
        carriesAnswers: true,
        send: ({ data }) => (data ? response.send({ data }) : response.open),
        keepAlive: () => response.keepAlive(),
        end: () => response.end(),
      };
    });
    if (!attachment) return refuse(request.res, SESSION_UNKNOWN);
    await sessions.keep(id);
    await changes.catchUp(attachment);
    await streams.wake(name);
  };
}

/** POST of one message; what it brings about comes on the stream. */
export function createSseMessage(access: SessionAccess): Endpoint {
  return async (request) => {
    const { req, res, principal, message } = request;
    const id = new URLSearchParams(req.url?.split('?')[1]).get('sessionId');
    const session = await findSession(request, access, 'http+sse', id ?? '');
    if (!session) return;
    const incoming = readMessages(message);
    if (!incoming || incoming.batch) return refuse(res, INVALID_MESSAGE);
    if (repeatsId(incoming, (given) => access.multiplexer.isRunning(session.id, given))) {
      return refuse(res, REPEATED_ID);
    }
    if (!(await access.streams.isHeard({ session: session.id, stream: STANDALONE }))) {
      await access.sessions.end(session.id);
      return refuse(res, SESSION_UNKNOWN);
    }
    const agreed = agreement(incoming);
    if (agreed === 'invalid') return refuse(res, INVALID_INITIALIZE);
    if (agreed) await access.sessions.alter(session.id, { agreed });
    const current = agreed ? { ...session, agreed } : session;
    accept(res);
    await access.dispatch(incoming, { session: current, principal, outlet: createOutlet(access, current) });
  };
}

/** Everything goes to the one stream; when nobody reads it any more, the session is over. */
function createOutlet({ streams, sessions, settled }: SessionAccess, { id: session }: McpSession): Outlet {
  const write = async (data: string): Promise<boolean> => {
    const written = await streams.announce(session, { data });
    if (written === 'unread') await sessions.end(session);
    return written === 'read';
  };
  const nothing = () => {};
  return {
    say: async (message: JSONRPCMessage) => write(JSON.stringify(message)),
    answer: (_: RequestId, response: JSONRPCMessage) =>
      void write(JSON.stringify(response)).then(() => settled(session), nothing),
    drop: () => settled(session),
    releaseConnection: async () => {},
    tick: nothing,
    abandon: nothing,
  };
}
