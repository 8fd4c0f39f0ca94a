/**
 * Owns the lane: the checks of a request for MCP on node:http, in front of Koa, from its target to its endpoint,
 * top to bottom (MCP transports, Security Warning; RFC 6750 §2.1). No check is asynchronous once the token is
 * cached and the body is read.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { insertedUrl, MCP_PATH, PROTECTED_RESOURCE_PATH, SSE_PATH } from '@mcp-oauth/shared/contract';
import { HttpError } from '@mcp-oauth/shared/errors';
import { beginAnswer } from '@mcp-oauth/shared/http/answer';
import { refusalOfHead } from '@mcp-oauth/shared/http/request/head';
import { type Logger, plainLines } from '@mcp-oauth/shared/logger';
import type { Allowance, Share } from '../../allowance/allowance.ts';
import type { Principal } from '../../authorization/principal.ts';
import { type Endpoint, type Endpoints, type McpRequest, MESSAGES_PATH } from '../../protocol/endpoints.ts';
import { allowPage, answerPreflight, isPreflight } from '../cors.ts';
import { createHostRule, createOriginRule, type OriginOptions, wrongHost, wrongOrigin } from '../origin.ts';
import {
  accessTokenOf,
  authenticate,
  lacksScope,
  type ProtectedResource,
  refuseRevoked,
  requireScopes,
} from './authenticate.ts';
import { readMessage } from './body.ts';
import { createChallenges } from './challenges.ts';
import { type LaneObservers, LaneRequest } from './lane-request.ts';
import { carriesToken, targetOf } from './target.ts';

export interface LaneDependencies
  extends Pick<ProtectedResource, 'verify' | 'verifyProof' | 'isRevoked' | 'scopes' | 'variablesOf'>,
    Omit<LaneObservers, 'logRequest'> {
  readonly settings: OriginOptions & Pick<ProtectedResource, 'dpopRequired'>;
  readonly endpoints: Endpoints;
  readonly allowance: Allowance;
}

interface Route {
  readonly methods: readonly string[];
  readonly resource: ProtectedResource;
  readonly endpoint: Endpoint;
}

/** @param others handles requests that are not for MCP */
export function createLane(dependencies: LaneDependencies, others: RequestListener): RequestListener {
  const findRoute = createRoutes(dependencies);
  const isOwnHost = createHostRule(dependencies.settings);
  const mayCall = createOriginRule(dependencies.settings);
  const observers = { ...dependencies, logRequest: plainLines(dependencies.log, 'request') };

  return (req, res) => {
    const target = targetOf(req);
    const route = findRoute(target.path);
    if (!route) return others(req, res);
    const request = new LaneRequest(req, res, target.path, observers);
    const { origin } = req.headers;
    try {
      const refusal = refusalOfHead(req);
      if (refusal) throw refusal;
      if (!isOwnHost(target.host)) throw wrongHost(target.host);
      if (origin !== undefined && !mayCall(origin)) throw wrongOrigin(origin);
      allowPage(res, origin);
      if (isPreflight(req)) return answerPreflight(req, res);
      if (req.method === 'OPTIONS') return answerOptions(route, res);
      if (!route.methods.includes(request.method)) throw methodNotAllowed(route);
      if (carriesToken(target)) throw tokenInUrl(route);
      const caller = authenticate(request, route.resource);
      const { allowance } = dependencies;
      if (!(caller instanceof Promise)) return receive(request, route, caller, allowance);
      // The check of a proof waits for the store, which answers many requests at once.
      caller
        .then(async (principal) => {
          await allowance.turns.wait();
          receive(request, route, principal, allowance);
        })
        .catch((error: unknown) => request.fail(error));
    } catch (error) {
      request.fail(error);
    }
  };
}

/** Reads the body only after the authentication, and checks the scopes before anything runs. */
function receive(request: LaneRequest, route: Route, principal: Principal, allowance: Allowance): void {
  request.principal = principal;
  if (request.method !== 'POST') {
    handOver(request, route, principal);
    return;
  }
  /** Released after the answer: the running request may need the body until then. */
  const share = (): Share => {
    const held = allowance.share(principal);
    request.res.once('close', () => held.release());
    return held;
  };
  readMessage(request.req, { allowance, share }, (error, message) => {
    if (error) request.fail(error);
    else handOver(request, route, principal, message);
  });
}

function handOver(request: LaneRequest, { resource, endpoint }: Route, principal: Principal, message?: unknown): void {
  request.message = message;
  try {
    refuseRevoked(resource, principal);
    requireScopes(resource, principal, message);
    endpoint(new Admitted(request, principal, message, resource))?.catch((error: unknown) => request.fail(error));
  } catch (error) {
    request.fail(error);
  }
}

class Admitted implements McpRequest {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly principal: Principal;
  readonly message: unknown;
  readonly #request: LaneRequest;
  readonly #resource: ProtectedResource;

  constructor(request: LaneRequest, principal: Principal, message: unknown, resource: ProtectedResource) {
    this.req = request.req;
    this.res = request.res;
    this.principal = principal;
    this.message = message;
    this.#request = request;
    this.#resource = resource;
  }

  get accessToken(): string {
    return accessTokenOf(this.req);
  }

  challenge(scope: string): void {
    this.#request.fail(lacksScope(this.#resource, this.principal, scope));
  }

  get log(): Logger {
    return this.#request.log;
  }

  get audit(): Audit | undefined {
    return this.#request.audit;
  }
}

/** The endpoint for messages of an HTTP+SSE stream belongs to the resource /sse, and so does its challenge. */
function createRoutes({ settings, endpoints, ...checks }: LaneDependencies): (path: string) => Route | undefined {
  const { publicUrl, dpopRequired } = settings;
  const resource = (path: string): ProtectedResource => ({
    ...checks,
    publicUrl,
    dpopRequired,
    challenges: createChallenges({
      resourceMetadata: insertedUrl(PROTECTED_RESOURCE_PATH, publicUrl + path),
      scopes: checks.scopes.initial,
      dpopRequired,
    }),
  });
  const { streamable, sseMessage } = endpoints;
  const all = ['GET', 'POST', 'DELETE'];
  const routes = new Map<string, Route>([
    [MCP_PATH, { methods: all, resource: resource(MCP_PATH), endpoint: streamable }],
    [SSE_PATH, { methods: all, resource: resource(SSE_PATH), endpoint: eitherTransport(endpoints) }],
    [MESSAGES_PATH, { methods: ['POST'], resource: resource(SSE_PATH), endpoint: sseMessage }],
  ]);
  // People type URLs: other capitalization or a trailing slash leads to the same route.
  return (path) => routes.get(path) ?? routes.get(path.toLowerCase().replace(/\/$/, ''));
}

/**
 * /sse serves both transports: a GET without a session opens a stream of 2024-11-05, anything else is Streamable
 * HTTP.
 */
const eitherTransport =
  ({ streamable, sseStream }: Endpoints): Endpoint =>
  (request) => {
    const opens = request.req.method === 'GET' && !request.req.headers['mcp-session-id'];
    return opens ? sseStream(request) : streamable(request);
  };

function answerOptions({ methods }: Route, res: ServerResponse): void {
  beginAnswer(res, 204, ['Allow', methods.join(', ')]).end();
}

/** RFC 9110 §15.5.6 */
function methodNotAllowed({ methods }: Route): HttpError {
  const list = methods.join(', ');
  return new HttpError(405, 'invalid_request', `Only ${list} can be used here.`, {
    reason: 'method_not_allowed',
    headers: { Allow: list },
  });
}

/** RFC 6750 §2.3: a token in the URL is refused, even in addition to a header. */
const tokenInUrl = ({ resource }: Route): HttpError =>
  resource.challenges.badRequest('Bearer', 'Access tokens are not accepted in the URL.', 'token_in_query');
