/** Owns which path leads where: documents for everybody, redirects for clients of 2025-03-26, MCP behind a token. */
import Router from '@koa/router';
import { AUTHORIZATION_SERVER_PATH, MCP_PATH, OPENID_CONFIGURATION_PATH, SSE_PATH } from '@mcp-oauth/shared/contract';
import type { Middleware } from 'koa';
import type { VerifyToken } from '../authorization/access-token.ts';
import type { ScopePolicy } from '../authorization/scope.ts';
import { type Endpoint, type Endpoints, MESSAGES_PATH } from '../protocol/endpoints.ts';
import type { Landing } from '../views/landing.ts';
import { type AuthorizedState, bearer, type ProtectedResource, requireScopes } from './bearer.ts';
import { jsonBody } from './body.ts';
import { publicCors } from './cors.ts';
import { serveLanding } from './landing.ts';
import { type MetadataSource, redirectPost, redirectToAuthorization, serveIssuerMetadata } from './legacy-discovery.ts';
import { metadataPath, serveMetadata } from './metadata.ts';
import { methods } from './methods.ts';

const RESOURCE_PATHS = ['', MCP_PATH, SSE_PATH];

/** No origin is checked here: whoever may know the URL may know this. */
export function documents(landing: Landing, scopes: ScopePolicy, issuer: MetadataSource): Router {
  const router = new Router();
  const read = methods('GET', 'HEAD');
  router.all('/', read, serveLanding(landing));
  for (const path of RESOURCE_PATHS) {
    const described = { ...landing, scopes: scopes.supported };
    router.all(metadataPath(path), publicCors(), read, serveMetadata(path, described));
    const issuerPaths = [
      `${AUTHORIZATION_SERVER_PATH}${path}`,
      `${OPENID_CONFIGURATION_PATH}${path}`,
      `${path}${OPENID_CONFIGURATION_PATH}`,
    ];
    for (const issuerPath of new Set(issuerPaths)) {
      router.all(issuerPath, publicCors(), read, serveIssuerMetadata(issuer));
    }
  }
  return router;
}

export function redirects(issuer: MetadataSource): Router {
  const router = new Router();
  router.all('/authorize', methods('GET', 'HEAD'), redirectToAuthorization(issuer));
  router.all('/token', methods('POST'), redirectPost(issuer, 'token_endpoint'));
  router.all('/register', methods('POST'), redirectPost(issuer, 'registration_endpoint'));
  return router;
}

export interface ProtectedRoutes {
  readonly publicUrl: string;
  readonly verify: VerifyToken;
  readonly scopes: ScopePolicy;
  readonly endpoints: Endpoints;
}

/** The message endpoint of a stream belongs to the resource /sse, and so does its challenge. */
export function protectedRoutes({ publicUrl, verify, scopes, endpoints }: ProtectedRoutes): Router<AuthorizedState> {
  const router = new Router<AuthorizedState>();
  const guard = (path: string): Middleware<AuthorizedState>[] => {
    const resource: ProtectedResource = { metadataUrl: `${publicUrl}${metadataPath(path)}`, scopes, verify };
    return [bearer(resource), jsonBody(), requireScopes(resource)];
  };
  router.all(MCP_PATH, methods('GET', 'POST', 'DELETE'), ...guard(MCP_PATH), handOver(endpoints.streamable));
  router.all(SSE_PATH, methods('GET', 'POST', 'DELETE'), ...guard(SSE_PATH), eitherTransport(endpoints));
  router.all(MESSAGES_PATH, methods('POST'), ...guard(SSE_PATH), handOver(endpoints.sseMessage));
  return router;
}

/** /sse serves both: a GET without a session opens a stream of 2024-11-05, all else is Streamable HTTP. */
const eitherTransport = ({ streamable, sseStream }: Endpoints): Middleware<AuthorizedState> => {
  const [first, second] = [handOver(sseStream), handOver(streamable)];
  return (ctx, next) => {
    const opens = ctx.method === 'GET' && ctx.get('Mcp-Session-Id') === '';
    return opens ? first(ctx, next) : second(ctx, next);
  };
};

const handOver =
  (endpoint: Endpoint): Middleware<AuthorizedState> =>
  async (ctx) => {
    const { principal, message, log } = ctx.state;
    ctx.respond = false;
    await endpoint({ req: ctx.req, res: ctx.res, principal, message, log });
  };
