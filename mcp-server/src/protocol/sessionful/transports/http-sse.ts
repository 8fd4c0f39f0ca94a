/**
 * Owns the two routes of HTTP+SSE, the transport of MCP 2024-11-05 (basic/transports, "HTTP with SSE"): a GET that
 * opens the stream of a session, and POSTs that any replica may receive. A request runs where its POST arrives. Its
 * messages go through the log to the replica with the stream, or wait there for a client that reconnects.
 */
import { LIMIT_REACHED } from '@mcp-oauth/shared/json-rpc-codes';
import { jsonText } from '@mcp-oauth/shared/text/json-text';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Share } from '../../../allowance/allowance.ts';
import type { Principal } from '../../../authorization/principal.ts';
import { START, StorageUnavailable } from '../../../sessions/ports.ts';
import type { McpSession } from '../../../sessions/session.ts';
import { STANDALONE } from '../../../sessions/streams.ts';
import type { Endpoint, McpRequest } from '../../endpoints.ts';
import { errorText } from '../../wire/answer-text.ts';
import { EventStream } from '../../wire/event-stream.ts';
import { requestIdOf } from '../../wire/message-flaw.ts';
import type { Outlet } from '../calls/outlet.ts';
import {
  accept,
  gone,
  invalidInitialize,
  NO_BATCHES,
  REPEATED_ID,
  refuse,
  refuseUnreadable,
  SESSION_UNKNOWN,
} from '../error-responses.ts';
import { agreement, readMessages, repeatsId } from '../json-rpc.ts';
import { findSession, isRefused, openSession, type SessionAccess } from '../session-access.ts';
import { resumptionOf } from './sse-resumption.ts';
import { eventId, RETRY } from './stream-sink.ts';

/** The GET that opens the stream. */
export function createSseStream(access: SessionAccess, messagesPath: string): Endpoint {
  return async (request) => {
    const { session, after, agreed } = await resumptionOf(request, access);
    if (session && (await hold(request, access, { session, after, messagesPath }))) return;
    const opened = await openSession(request, access, { transport: 'http+sse', agreed });
    if (!opened) return;
    const held = await hold(request, access, { session: opened, after: undefined, messagesPath });
    if (!held) refuse(request.res, SESSION_UNKNOWN);
  };
}

interface Held {
  readonly session: Pick<McpSession, 'id'>;
  /** The last event that the client has; absent: read every event that no connection has received. */
  readonly after: string | undefined;
  readonly messagesPath: string;
}

/** Answers with the stream of a session. @returns false, without an answer, when the session has ended */
async function hold(
  { res, principal, log }: McpRequest,
  access: SessionAccess,
  { session, after, messagesPath }: Held,
): Promise<boolean> {
  const { sessions, streams, changes, settled } = access;
  const { id } = session;
  const name = { session: id, stream: STANDALONE };
  const attachment = await streams.attach(
    name,
    (detach, from = START) => {
      let isLeft = true;
      const left = () => {
        detach();
        if (isLeft) leave(access, id).catch((err: unknown) => log.error({ err }, 'session not ended'));
      };
      const response = new EventStream(res, left, access.allowance.share(principal));
      response.begin();
      // A relative URL works behind any gateway. The id is for a client whose connection breaks before the first event.
      const data = `${messagesPath}?sessionId=${id}`;
      response.send({ event: 'endpoint', data, id: eventId(id, from), retry: RETRY });
      return {
        carriesAnswers: true,
        opener: principal,
        response,
        send: (event) => (event.data ? response.send({ id: eventId(id, event.id), data: event.data }) : response.open),
        keepAlive: () => response.keepAlive(),
        end: () => {
          isLeft = false;
          response.end();
        },
      };
    },
    after,
  );
  if (!attachment) return false;
  await sessions.keep(id);
  await changes.catchUp(attachment);
  await streams.wake(name);
  settled(id);
  return true;
}

/** A client that opens a stream and leaves before it is initialized does not come back, and must not fill the store. */
async function leave({ sessions }: SessionAccess, id: string): Promise<void> {
  try {
    // Another replica may have initialized the session just now.
    sessions.invalidate(id);
    const session = await sessions.peek(id);
    if (session && !session.agreed) await sessions.end(id);
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
  }
}

/** The POST of one message; the answer comes on the stream. */
export function createSseMessage(access: SessionAccess): Endpoint {
  return async (request) => {
    const { req, res, principal, message, audit } = request;
    const id = new URLSearchParams(req.url?.split('?')[1]).get('sessionId');
    const session = await findSession(request, access, 'http+sse', id ?? '');
    if (!session) return;
    const incoming = readMessages(message, access.allowance.limits.maxBatchMessages);
    if (!incoming) return refuseUnreadable(res, message);
    if (incoming === 'too_many' || incoming.batch) return refuse(res, NO_BATCHES);
    if (repeatsId(incoming, session.id, access.multiplexer)) {
      return refuse(res, REPEATED_ID, requestIdOf(message));
    }
    const agreed = agreement(incoming);
    if (agreed && 'flaw' in agreed) return refuse(res, invalidInitialize(agreed.flaw), agreed.id);
    if (agreed && !(await access.sessions.alter(session.id, { agreed }))) {
      return refuse(res, SESSION_UNKNOWN, requestIdOf(message));
    }
    const current = agreed ? { ...session, agreed } : session;
    const ids = incoming.requests.map((one) => one.id);
    // Stored before the answer 202, so that the client gets an answer even if this replica is killed right afterwards.
    await access.pendingRequests.begin(current.id, ids);
    await access.allowance.turns.wait();
    // Another request may have arrived meanwhile. If it has the same id, it is running and gets the answer.
    if (repeatsId(incoming, session.id, access.multiplexer)) {
      return refuse(res, REPEATED_ID, requestIdOf(message));
    }
    if (isRefused(request, access, incoming, session)) {
      for (const one of ids) access.pendingRequests.settle(current.id, one);
      return;
    }
    accept(res);
    const outlet = createOutlet(access, current, principal, ids);
    await access.dispatch(incoming, { session: current, principal, audit, request, outlet });
  };
}

/** All messages go to the one stream, and wait in its log while no connection reads it. */
function createOutlet(
  access: SessionAccess,
  { id: session }: McpSession,
  principal: Principal,
  ids: readonly RequestId[],
): Outlet {
  const unanswered = new Set(ids);
  const { streams, pendingRequests, settled, allowance } = access;
  const write = async (data: string): Promise<boolean> => {
    const written = await streams.announce(session, { data });
    return written === 'read' || written === 'unread';
  };
  const done = (id: RequestId): void => {
    unanswered.delete(id);
    pendingRequests.settle(session, id);
    settled(session);
  };
  const nothing = () => {};
  /** The answer, or an error instead when too many bytes of this person's answers are not in the log yet. */
  const affordable = (id: RequestId, text: string, share: Share): string => {
    if (share.hold(text.length)) return text;
    const reached = allowance.reached('MAX_BYTES_PER_PRINCIPAL', allowance.limits.maxBytesPerPrincipal);
    return errorText(id, LIMIT_REACHED, reached);
  };
  return {
    send: async (message: JSONRPCMessage) => write(jsonText(message)),
    answer: (id: RequestId, response: string) => {
      const share = allowance.share(principal);
      const text = affordable(id, response, share);
      write(text)
        .finally(() => share.release())
        .then(() => done(id))
        .catch(access.onFailure);
    },
    // The POST was answered already.
    isUntouched: () => false,
    drop: done,
    releaseConnection: async () => {},
    checkKeepAlive: nothing,
    abandon: (isOver) => {
      const reading = isOver ? streams.reading({ session, stream: STANDALONE }) : undefined;
      for (const id of unanswered) reading?.sink.response?.send({ data: gone(id) });
      pendingRequests.forget(session);
    },
  };
}
