/**
 * Owns the endpoint of Streamable HTTP: what each POST, GET and DELETE may do, checked in the order of the specification
 * (MCP 2025-11-25 basic/transports, "Streamable HTTP").
 */

import type { IncomingMessage } from 'node:http';
import type { Endpoint, McpRequest } from '../endpoints.ts';
import type { Accepted } from './exchange.ts';
import {
  type Incoming,
  initializeOf,
  initializeParams,
  negotiate,
  REVISIONS,
  readMessages,
  repeatsId,
} from './json-rpc.ts';
import * as refusals from './refusals.ts';
import { accept, refuse } from './refusals.ts';
import { findSession, openSession, type SessionAccess } from './session-access.ts';
import { StreamableTransport } from './streamable-transport.ts';

export function createStreamableHttp(access: SessionAccess): Endpoint {
  const methods: Readonly<Record<string, (request: McpRequest, access: SessionAccess) => void | Promise<void>>> = {
    POST: post,
    GET: listen,
    DELETE: end,
  };
  return async (request) => {
    const { req, res } = request;
    const method = methods[req.method ?? ''];
    if (!method) return refuse(res, refusals.METHOD_NOT_ALLOWED);
    // An absent header stands for 2025-03-26, which is served.
    const revision = header(req, 'mcp-protocol-version');
    if (revision && !REVISIONS.includes(revision)) return refuse(res, refusals.UNSUPPORTED_REVISION);
    await method(request, access);
  };
}

async function post(request: McpRequest, access: SessionAccess): Promise<void> {
  const { req, res, principal, message } = request;
  const accepted = acceptedBy(req);
  if (!accepted.json && !accepted.stream) return refuse(res, refusals.NOT_ACCEPTABLE);
  const incoming = readMessages(message);
  if (!incoming) return refuse(res, refusals.INVALID_MESSAGE);
  const id = header(req, 'mcp-session-id');
  if (initializeOf(incoming)) {
    if (id) return refuse(res, refusals.ALREADY_INITIALIZED);
    return initialize(request, access, incoming, accepted);
  }
  if (!id) return refuse(res, refusals.SESSION_MISSING);
  const live = await findSession(request, access, 'streamable-http', id);
  if (!live) return;
  const { session, conversation } = live;
  if (incoming.batch && !hasBatches(session.protocolVersion)) return refuse(res, refusals.NO_BATCHES);
  if (repeatsId(incoming, conversation.running)) return refuse(res, refusals.REPEATED_ID);
  if (incoming.requests.length > 0) {
    conversation.exchange(incoming, principal, res, accepted);
  } else {
    accept(res);
    conversation.receive(incoming, principal);
  }
}

async function initialize(
  request: McpRequest,
  access: SessionAccess,
  incoming: Incoming,
  accepted: Accepted,
): Promise<void> {
  const { res, principal } = request;
  if (incoming.batch) return refuse(res, refusals.NO_BATCHES);
  const [asked] = incoming.requests;
  const params = asked && initializeParams(asked);
  if (!params) return refuse(res, refusals.INVALID_INITIALIZE);
  const transport = new StreamableTransport();
  const agreed = { protocolVersion: negotiate(params.protocolVersion), initialize: params };
  const session = await openSession(request, access, transport, agreed);
  if (!session) return;
  res.setHeader('Mcp-Session-Id', session.id);
  transport.exchange(incoming, principal, res, accepted);
}

async function listen(request: McpRequest, access: SessionAccess): Promise<void> {
  const { req, res } = request;
  if (!acceptedBy(req).stream) return refuse(res, refusals.NOT_ACCEPTABLE);
  const id = header(req, 'mcp-session-id');
  if (!id) return refuse(res, refusals.SESSION_MISSING);
  const live = await findSession(request, access, 'streamable-http', id);
  if (!live) return;
  if (access.draining()) return refuse(res, refusals.NO_CAPACITY);
  if (live.conversation.streaming) return refuse(res, refusals.STREAM_TAKEN);
  res.setHeader('Mcp-Session-Id', id);
  live.conversation.listen(res);
}

async function end(request: McpRequest, access: SessionAccess): Promise<void> {
  const { req, res } = request;
  const id = header(req, 'mcp-session-id');
  if (!id) return refuse(res, refusals.SESSION_MISSING);
  if (!(await findSession(request, access, 'streamable-http', id))) return;
  await access.host.end(id);
  res.writeHead(204).end();
}

const hasBatches = (revision: string | undefined): boolean => revision === '2025-03-26';

/**
 * Clients MUST accept both; one that takes only JSON is served as well, and told nothing but the answer. No header and
 * wildcards mean both.
 */
function acceptedBy(req: IncomingMessage): Accepted {
  const accept = req.headers.accept ?? '*/*';
  const takes = (type: string, subtype: string) =>
    ['*/*', `${type}/*`, `${type}/${subtype}`].some((range) => accept.includes(range));
  return { json: takes('application', 'json'), stream: takes('text', 'event-stream') };
}

const header = (req: IncomingMessage, name: 'mcp-session-id' | 'mcp-protocol-version'): string => {
  const value = req.headers[name];
  return typeof value === 'string' ? value : '';
};
