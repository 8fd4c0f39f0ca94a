/**
 * Owns the endpoint of Streamable HTTP: the handling of POST, GET and DELETE, checked in the order of the
 * specification (MCP 2025-11-25 basic/transports, "Streamable HTTP").
 */
import type { IncomingMessage } from 'node:http';
import { beginAnswer, gather } from '@mcp-oauth/shared/http/answer';
import type { Agreement, McpSession } from '../../../sessions/session.ts';
import { STANDALONE } from '../../../sessions/streams.ts';
import type { Endpoint, McpRequest } from '../../endpoints.ts';
import { SESSION_REVISIONS } from '../../revisions.ts';
import { type Accepted, acceptedBy } from '../../wire/accepted.ts';
import { EventStream } from '../../wire/event-stream.ts';
import { requestIdOf } from '../../wire/message-flaw.ts';
import * as errors from '../error-responses.ts';
import { accept, refuse, refuseUnreadable } from '../error-responses.ts';
import { agreement, type Incoming, readMessages, repeatsId, type Unagreed } from '../json-rpc.ts';
import { PostResponse } from '../post-response.ts';
import { findSession, isRefused, openSession, type SessionAccess, seekSession } from '../session-access.ts';
import { createSink, prime, readEventId } from './stream-sink.ts';

type Handler = (request: McpRequest, access: SessionAccess) => void | Promise<void>;

export function createStreamableHttp(access: SessionAccess): Endpoint {
  const methods: Readonly<Record<string, Handler>> = { POST: post, GET: listen, DELETE: end };
  return (request) => {
    const { req, res, message } = request;
    access.receipts.note(req.socket);
    const method = methods[req.method ?? ''];
    if (!method) return refuse(res, errors.METHOD_NOT_ALLOWED);
    // An absent header means 2025-03-26, which is supported.
    const revision = header(req, 'mcp-protocol-version');
    if (revision && !SESSION_REVISIONS.includes(revision)) {
      return refuse(res, errors.UNSUPPORTED_REVISION, requestIdOf(message));
    }
    return method(request, access);
  };
}

/** Answers in the same turn unless the session has to be read from the store, or the method has a promise. */
function post(request: McpRequest, access: SessionAccess): void | Promise<void> {
  const { req, res, message } = request;
  const { maxBatchMessages: most } = access.allowance.limits;
  const accepted = acceptedBy(req);
  if (!accepted.json && !accepted.stream) return refuse(res, errors.NOT_ACCEPTABLE, requestIdOf(message));
  const incoming = readMessages(message, most);
  if (!incoming) return refuseUnreadable(res, message);
  if (incoming === 'too_many') {
    return refuse(res, errors.tooManyMessages(access.allowance.reached('MAX_BATCH_MESSAGES', most)));
  }
  const agreed = agreement(incoming);
  if (agreed) return initialize(request, access, incoming, accepted, agreed);
  const id = header(req, 'mcp-session-id');
  if (!id) return refuse(res, errors.SESSION_MISSING, requestIdOf(message));
  const found = findSession(request, access, 'streamable-http', id);
  if (!(found instanceof Promise)) return found && take(request, access, incoming, found, accepted);
  return found.then(async (session) => {
    if (!session) return;
    // The store answers many requests at once.
    await access.allowance.turns.wait();
    await take(request, access, incoming, session, accepted);
  });
}

async function initialize(
  request: McpRequest,
  access: SessionAccess,
  incoming: Incoming,
  accepted: Accepted,
  agreed: Agreement | Unagreed,
): Promise<void> {
  const { req, res, message } = request;
  if (incoming.batch) return refuse(res, errors.NO_BATCHES);
  if ('flaw' in agreed) return refuse(res, errors.invalidInitialize(agreed.flaw), agreed.id);
  const id = header(req, 'mcp-session-id');
  // Some clients send the id of a lost session with initialize. A 404 would make them send the same request again.
  if (id && (await seekSession(request, access, 'streamable-http', id))) {
    return refuse(res, errors.ALREADY_INITIALIZED, requestIdOf(message));
  }
  const [opening] = incoming.requests;
  const session = await openSession(request, access, { transport: 'streamable-http', agreed, id: opening?.id });
  if (!session) return;
  gather(res, ['Mcp-Session-Id', session.id]);
  run(request, access, incoming, session, accepted);
}

/** Takes the messages of a session. */
function take(
  request: McpRequest,
  access: SessionAccess,
  incoming: Incoming,
  session: McpSession,
  accepted: Accepted,
): void | Promise<void> {
  const { res, principal, message } = request;
  if (incoming.batch && !hasBatches(session)) return refuse(res, errors.NO_BATCHES);
  if (repeatsId(incoming, session.id, access.multiplexer)) {
    return refuse(res, errors.REPEATED_ID, requestIdOf(message));
  }
  if (incoming.requests.length > 0) {
    if (!incoming.batch && isRefused(request, access, incoming, session)) return;
    return run(request, access, incoming, session, accepted);
  }
  const answer = (taken: boolean): void => (taken ? accept(res) : refuse(res, errors.NOT_ASKED));
  const taken = access.dispatch(incoming, { session, principal, request, outlet: NOBODY });
  return taken instanceof Promise ? taken.then(answer) : answer(taken);
}

function run(
  request: McpRequest,
  access: SessionAccess,
  incoming: Incoming,
  session: McpSession,
  accepted: Accepted,
): void {
  const { res, principal, audit } = request;
  const { requests, batch } = incoming;
  const { allowance, receipts, streams, onFailure } = access;
  const outlet = new PostResponse({
    res,
    requests,
    batch,
    accepted,
    principal,
    allowance,
    receipts,
    streams,
    onFailure,
    session: session.id,
    revision: revisionOf(session),
  });
  const taken = access.dispatch(incoming, { session, principal, audit, request, outlet });
  if (taken instanceof Promise) taken.catch((err: unknown) => request.log.warn({ err }, 'message not dispatched'));
}

async function listen(request: McpRequest, access: SessionAccess): Promise<void> {
  const { req, res } = request;
  if (!acceptedBy(req).stream) return refuse(res, errors.NOT_ACCEPTABLE);
  const id = header(req, 'mcp-session-id');
  if (!id) return refuse(res, errors.SESSION_MISSING);
  const session = await findSession(request, access, 'streamable-http', id);
  if (!session) return;
  const last = header(req, 'last-event-id');
  const position = last ? readEventId(last) : { stream: STANDALONE, after: undefined };
  if (!position) return refuse(res, errors.EVENT_UNKNOWN);
  const name = { session: id, stream: position.stream };
  const { streams, changes } = access;
  if (name.stream !== STANDALONE && !(await streams.isKept(name))) return refuse(res, errors.EVENT_UNKNOWN);
  const revision = revisionOf(session);
  const attachment = await streams.attach(
    name,
    (detach) => {
      gather(res, ['Mcp-Session-Id', id]);
      const response = new EventStream(res, detach, access.allowance.share(request.principal));
      response.begin();
      return { ...createSink(response, name.stream, revision), response, opener: request.principal };
    },
    position.after,
  );
  if (!attachment) return refuse(res, errors.SESSION_UNKNOWN);
  await access.sessions.keep(id);
  if (name.stream === STANDALONE) {
    prime(attachment.sink.response, name.stream, revision, attachment.reader.cursor);
    await changes.catchUp(attachment);
  }
  await streams.wake(name);
  access.settled(id);
}

async function end(request: McpRequest, access: SessionAccess): Promise<void> {
  const { req, res } = request;
  const id = header(req, 'mcp-session-id');
  if (!id) return refuse(res, errors.SESSION_MISSING);
  if (!(await findSession(request, access, 'streamable-http', id))) return;
  await access.sessions.end(id);
  request.audit?.({ event: 'session.ended', outcome: 'ok', reason: 'client' });
  beginAnswer(res, 204, []).end();
}

/** Notifications and responses of a client have no answer. */
const NOBODY = {
  send: async () => false,
  answer: () => {},
  isUntouched: () => false,
  drop: () => {},
  releaseConnection: async () => {},
  checkKeepAlive: () => {},
  abandon: () => {},
};

const revisionOf = ({ agreed }: McpSession): string => agreed?.protocolVersion ?? '2025-03-26';

const hasBatches = (session: McpSession): boolean => revisionOf(session) === '2025-03-26';

const header = (req: IncomingMessage, name: 'mcp-session-id' | 'mcp-protocol-version' | 'last-event-id'): string => {
  const value = req.headers[name];
  return typeof value === 'string' ? value : '';
};
