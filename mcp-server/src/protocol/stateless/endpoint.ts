/**
 * Owns the endpoint of the revision without sessions: each POST is one request that is checked, run and answered, whatever
 * came before it (MCP 2026-07-28 basic, "Statelessness", and Streamable HTTP).
 */
import { type Implementation, INTERNAL_ERROR, type ServerCapabilities } from '@modelcontextprotocol/server';
import { acceptedBy } from '../accepted.ts';
import { type Method, type Methods, RpcError } from '../call.ts';
import type { Endpoint, McpRequest } from '../endpoints.ts';
import type { ParameterHeader } from '../parameter-headers.ts';
import { REVISIONS } from '../revisions.ts';
import { Exchange, writeJson } from './exchange.ts';
import { checkParameterHeaders } from './mirrored-headers.ts';
import { notAcceptable, Refusal, unknownMethod } from './refusals.ts';
import { idOf, isOfThisEra, readRequest, type StatelessRequest } from './request.ts';
import { createResults } from './results.ts';

export interface StatelessParts {
  readonly methods: Methods;
  /** How the server introduces itself to clients. */
  readonly serverInfo: Implementation;
  readonly capabilities: ServerCapabilities;
  /** Whether lists are the same for everybody; they are not where tools are hidden from those who lack a scope. */
  readonly listScope: 'public' | 'private';
  /** Which arguments of a tool are repeated in headers; none for a tool that does not exist. */
  readonly parameterHeaders: (tool: string) => readonly ParameterHeader[];
  /** Seconds between two signs of life on an open stream. */
  readonly keepAlive: number;
}

export interface Stateless {
  /** Whether a request is of this era; those of the others have sessions. */
  handles(request: McpRequest): boolean;
  readonly endpoint: Endpoint;
  /** Takes no new streams and ends those that only wait for changes; calls that run go on. */
  drain(): void;
  close(): Promise<void>;
}

export function createStateless(parts: StatelessParts): Stateless {
  const { capabilities, keepAlive } = parts;
  const writeResult = createResults(parts);
  const discovered = { supportedVersions: REVISIONS, capabilities };
  const methods = new Map(parts.methods).set('server/discover', () => discovered);
  const running = new Set<Exchange>();
  // One timer for all: a timer for each of many streams would cost more than the streams.
  const ticker = setInterval(() => {
    for (const exchange of running) exchange.tick();
  }, keepAlive * 1000).unref();

  const serve = (request: McpRequest): void | Promise<void> => {
    const { req, res, principal, message } = request;
    const asked = readRequest(message, req.headers);
    if (!asked) return void res.writeHead(202, { 'Content-Length': 0 }).end();
    const method = methods.get(asked.method);
    if (!method) throw unknownMethod();
    const accepted = acceptedBy(req);
    if (!accepted.json && !accepted.stream) throw notAcceptable();
    checkArguments(parts, request, asked);
    const exchange = new Exchange({ asked, principal, res, accepted, writeResult });
    return run({ method, asked, exchange, running, request });
  };
  return {
    handles: ({ req, message }) => req.method === 'POST' && isOfThisEra(message, req.headers),
    endpoint: (request) => {
      try {
        return serve(request);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refuse(request, error);
      }
    },
    drain: () => {},
    close: async () => {
      clearInterval(ticker);
      for (const exchange of running) exchange.fail(503, SHUTTING_DOWN);
    },
  };
}

function checkArguments(
  { parameterHeaders }: StatelessParts,
  { req }: McpRequest,
  { method, params }: StatelessRequest,
) {
  if (method !== 'tools/call' || typeof params.name !== 'string') return;
  checkParameterHeaders(req.headers, parameterHeaders(params.name), params.arguments);
}

/** Said to those whose call could not end in time; it may be repeated elsewhere. */
const SHUTTING_DOWN = { code: INTERNAL_ERROR, message: 'The server is shutting down; try again' };

interface Run {
  readonly method: Method;
  readonly asked: StatelessRequest;
  readonly exchange: Exchange;
  /** What runs longer than this very moment. */
  readonly running: Set<Exchange>;
  readonly request: McpRequest;
}

async function run({ method, asked, exchange, running, request }: Run): Promise<void> {
  try {
    const result = method(asked.params, exchange);
    if (!(result instanceof Promise)) return exchange.complete(result);
    running.add(exchange);
    exchange.watch();
    exchange.complete(await result);
  } catch (error) {
    exchange.fail(...failureOf(error, asked, request));
  } finally {
    running.delete(exchange);
  }
}

/** What a request that failed while it ran hears, over HTTP 200: the protocol has worked, but for one error of its own. */
function failureOf(error: unknown, { method }: StatelessRequest, { principal, log }: McpRequest): [number, object] {
  if (error instanceof Refusal) return [error.status, bodyOf(error)];
  if (error instanceof RpcError) return [200, bodyOf(error)];
  log.error({ err: error, method, subject: principal.subject, client: principal.clientId }, 'request failed');
  return [200, { code: INTERNAL_ERROR, message: 'Internal error' }];
}

function refuse({ res, message, log }: McpRequest, refusal: Refusal): void {
  const id = idOf(message);
  log.info({ code: refusal.code, reason: refusal.message }, 'request refused');
  const answer = { jsonrpc: '2.0', ...(id !== undefined && { id }), error: bodyOf(refusal) };
  writeJson(res, refusal.status, JSON.stringify(answer));
}

const bodyOf = ({ code, message, data }: RpcError) => ({ code, message, ...(data !== undefined && { data }) });
