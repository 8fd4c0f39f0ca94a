/**
 * Owns the endpoint of Streamable HTTP: what each POST, GET and DELETE may do, checked in the order of the specification
 * (MCP 2025-11-25 basic/transports, "Streamable HTTP").
 */

import type { Middleware, ParameterizedContext } from 'koa';
import type { AuthorizedState } from '../endpoints.ts';
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

type Ctx = ParameterizedContext<AuthorizedState>;

export function createStreamableHttp(access: SessionAccess): Middleware<AuthorizedState> {
  const methods: Readonly<Record<string, (ctx: Ctx, access: SessionAccess) => void | Promise<void>>> = {
    POST: post,
    GET: listen,
    DELETE: end,
  };
  return async (ctx) => {
    const method = methods[ctx.method];
    if (!method) return refuse(ctx, refusals.METHOD_NOT_ALLOWED);
    // An absent header stands for 2025-03-26, which is served.
    const revision = ctx.get('MCP-Protocol-Version');
    if (revision && !REVISIONS.includes(revision)) return refuse(ctx, refusals.UNSUPPORTED_REVISION);
    await method(ctx, access);
  };
}

async function post(ctx: Ctx, access: SessionAccess): Promise<void> {
  const accepted = acceptedBy(ctx);
  if (!accepted.json && !accepted.stream) return refuse(ctx, refusals.NOT_ACCEPTABLE);
  const incoming = readMessages(ctx.state.message);
  if (!incoming) return refuse(ctx, refusals.INVALID_MESSAGE);
  const id = ctx.get('Mcp-Session-Id');
  if (initializeOf(incoming)) {
    if (id) return refuse(ctx, refusals.ALREADY_INITIALIZED);
    return initialize(ctx, access, incoming, accepted);
  }
  if (!id) return refuse(ctx, refusals.SESSION_MISSING);
  const live = await findSession(ctx, access, 'streamable-http', id);
  if (!live) return;
  const { session, conversation } = live;
  if (incoming.batch && !hasBatches(session.protocolVersion)) return refuse(ctx, refusals.NO_BATCHES);
  if (repeatsId(incoming, conversation.running)) return refuse(ctx, refusals.REPEATED_ID);
  if (incoming.requests.length > 0) {
    ctx.respond = false;
    conversation.exchange(incoming, ctx.state.principal, ctx.res, accepted);
  } else {
    accept(ctx);
    conversation.receive(incoming, ctx.state.principal);
  }
}

async function initialize(ctx: Ctx, access: SessionAccess, incoming: Incoming, accepted: Accepted): Promise<void> {
  if (incoming.batch) return refuse(ctx, refusals.NO_BATCHES);
  const [request] = incoming.requests;
  const params = request && initializeParams(request);
  if (!params) return refuse(ctx, refusals.INVALID_INITIALIZE);
  const transport = new StreamableTransport();
  const agreed = { protocolVersion: negotiate(params.protocolVersion), initialize: params };
  const session = await openSession(ctx, access, transport, agreed);
  if (!session) return;
  ctx.set('Mcp-Session-Id', session.id);
  ctx.respond = false;
  transport.exchange(incoming, ctx.state.principal, ctx.res, accepted);
}

async function listen(ctx: Ctx, access: SessionAccess): Promise<void> {
  if (!acceptedBy(ctx).stream) return refuse(ctx, refusals.NOT_ACCEPTABLE);
  const id = ctx.get('Mcp-Session-Id');
  if (!id) return refuse(ctx, refusals.SESSION_MISSING);
  const live = await findSession(ctx, access, 'streamable-http', id);
  if (!live) return;
  if (access.draining()) return refuse(ctx, refusals.NO_CAPACITY);
  if (live.conversation.streaming) return refuse(ctx, refusals.STREAM_TAKEN);
  ctx.set('Mcp-Session-Id', id);
  ctx.respond = false;
  live.conversation.listen(ctx.res);
}

async function end(ctx: Ctx, access: SessionAccess): Promise<void> {
  const id = ctx.get('Mcp-Session-Id');
  if (!id) return refuse(ctx, refusals.SESSION_MISSING);
  if (!(await findSession(ctx, access, 'streamable-http', id))) return;
  await access.host.end(id);
  ctx.status = 204;
}

const hasBatches = (revision: string | undefined): boolean => revision === '2025-03-26';

/**
 * Clients MUST accept both; one that takes only JSON is served as well, and told nothing but the answer. No header and
 * wildcards mean both.
 */
function acceptedBy(ctx: Ctx): Accepted {
  return { json: Boolean(ctx.accepts('application/json')), stream: Boolean(ctx.accepts('text/event-stream')) };
}
