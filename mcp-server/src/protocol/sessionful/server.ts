/**
 * Owns what the methods of the revisions with sessions answer: the SDK's low-level server, one for all sessions, in front of
 * the methods that every era shares, and of those that only sessions have (MCP lifecycle, logging, resource subscriptions).
 */
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type ClientCapabilities,
  ErrorCode,
  type Implementation,
  LoggingLevelSchema,
  type Result,
  ResultSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv';
import { StorageUnavailable } from '../../sessions/ports.ts';
import type { SessionHost } from '../../sessions/session-host.ts';
import { type Call, type ClientRequest, type Method, type Methods, RpcError } from '../call.ts';
import { CAPABILITIES } from '../capabilities.ts';
import type { LogLevel } from '../define.ts';
import { forSessionRevisions } from '../methods/session-revisions.ts';
import type { Run } from './multiplexer.ts';

export interface ServerParts {
  readonly methods: Methods;
  readonly serverInfo: Implementation;
  readonly instructions?: string;
  readonly sessions: Pick<SessionHost, 'alter'>;
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** Milliseconds. A person needs time to read; a call must not hang for ever. */
const PATIENCE = 5 * 60_000;

export function createServer({ methods, serverInfo, instructions, sessions }: ServerParts): Server {
  const server = new Server(serverInfo, {
    capabilities: CAPABILITIES,
    jsonSchemaValidator: new AjvJsonSchemaValidator(),
    ...(instructions !== undefined && { instructions }),
  });
  const all: Methods = new Map([...forSessionRevisions(methods), ...sessionMethods(sessions)]);
  // What the SDK would answer by itself, for the one session that it thinks it has.
  server.removeRequestHandler('logging/setLevel');
  server.fallbackRequestHandler = async (request, extra) => {
    const method = all.get(request.method);
    if (!method) throw new RpcError(ErrorCode.MethodNotFound, 'Method not found');
    return (await method(request.params ?? {}, createCall(extra))) as Result;
  };
  return server;
}

/** Called with the session's record in `Call`, which is what these methods change. */
function sessionMethods({ alter }: Pick<SessionHost, 'alter'>): ReadonlyMap<string, Method> {
  const subscription = (key: 'subscribe' | 'unsubscribe'): Method => {
    return async ({ uri }, call) => {
      if (typeof uri !== 'string') throw new RpcError(ErrorCode.InvalidParams, 'A resource is named by its uri');
      if (await written(alter(sessionOf(call), { [key]: uri }))) return {};
      throw new RpcError(ErrorCode.InvalidRequest, 'This session has as many subscriptions as it may have');
    };
  };
  return new Map([
    ['resources/subscribe', subscription('subscribe')],
    ['resources/unsubscribe', subscription('unsubscribe')],
    [
      'logging/setLevel',
      async ({ level }, call) => {
        const { data } = LoggingLevelSchema.safeParse(level);
        if (!data) throw new RpcError(ErrorCode.InvalidParams, 'There is no such level');
        await written(alter(sessionOf(call), { logLevel: data }));
        return {};
      },
    ],
  ]);
}

async function written(altering: Promise<boolean>): Promise<boolean> {
  try {
    return await altering;
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    throw new RpcError(ErrorCode.InternalError, 'This can not be stored now; please try again');
  }
}

/** A call of a session. */
interface SessionCall extends Call {
  readonly session: string;
}

const sessionOf = (call: Call): string => (call as SessionCall).session;

function createCall(extra: Extra): SessionCall {
  const { session, principal, outlet } = runOf(extra);
  const { agreed, logLevel = 'info' } = session;
  return {
    session: session.id,
    principal,
    signal: extra.signal,
    capabilities: (agreed?.params.capabilities ?? {}) as ClientCapabilities,
    logLevel: logLevel as LogLevel,
    progressToken: extra._meta?.progressToken,
    notify: (notification) => extra.sendNotification(notification as ServerNotification),
    ask: ({ method, params }: ClientRequest) =>
      extra.sendRequest({ method, params } as ServerRequest, ResultSchema, { signal: extra.signal, timeout: PATIENCE }),
    releaseConnection: () => outlet.releaseConnection(),
  };
}

/** The multiplexer puts it there, with the principal of the very request: a session outlives its tokens and their scopes. */
function runOf({ authInfo }: Extra): Run {
  const { run } = authInfo?.extra ?? {};
  if (!run) throw new RpcError(ErrorCode.InternalError, 'Internal error');
  return run as Run;
}
