/**
 * Owns the SCIM endpoints (RFC 7644 §3.2), one for each connector that has a token. A connector without one has none, as a connector
 * that does not exist. Nothing of a request is read before its token was accepted.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { failureLimit } from '../admission/request-limits.ts';
import { answer, listOf, notFound, withScimErrors } from './answer.ts';
import { resourceTypes, schemas, serviceProviderConfig } from './discovery.ts';
import { createUser, type Endpoint, listUsers, patchUser, removeUser, replaceUser, showUser } from './users.ts';

interface ProtectedEndpoint extends Endpoint {
  readonly token: string;
}

export interface ProvisioningOptions {
  readonly endpoints: readonly ProtectedEndpoint[];
  /** Limits requests with a wrong token from one address. */
  readonly limit: RateLimit;
  readonly clock: Clock;
}

type Handler = (ctx: Context, endpoint: Endpoint, id: string) => Promise<void> | void;

const ROUTES: readonly (readonly [path: RegExp, methods: Readonly<Record<string, Handler>>])[] = [
  [/^\/Users\/?$/, { GET: listUsers, POST: createUser }],
  [/^\/Users\/([^/]+)\/?$/, { GET: showUser, PUT: replaceUser, PATCH: patchUser, DELETE: removeUser }],
  // Okta asks for groups when it tests an endpoint, whether groups are used or not.
  [/^\/Groups\/?$/, { GET: (ctx) => answer(ctx, 200, listOf({ resources: [] })) }],
  [/^\/ServiceProviderConfig\/?$/, { GET: (ctx, { base }) => answer(ctx, 200, serviceProviderConfig(base)) }],
  [/^\/ResourceTypes(?:\/([^/]+))?\/?$/, { GET: (ctx, { base }, id) => answer(ctx, 200, resourceTypes(base, id)) }],
  [/^\/Schemas(?:\/([^/]+))?\/?$/, { GET: (ctx, { base }, id) => answer(ctx, 200, schemas(base, id)) }],
];

export function provisioningRoutes({ endpoints, limit, clock }: ProvisioningOptions): Middleware {
  const byConnector = new Map(endpoints.map((endpoint) => [endpoint.connector, endpoint]));
  const limited = failureLimit(limit, clock, { isCounted: () => true, statuses: [401] });
  return async (ctx, next) => {
    const [, connector = '', path = ''] = /^\/scim\/v2\/([^/]+)(\/.*)?$/.exec(ctx.path) ?? [];
    const endpoint = byConnector.get(connector);
    if (!endpoint) return next();
    const work = () => withScimErrors(ctx, () => serve(ctx, endpoint, path));
    return withScimErrors(ctx, async () => limited(ctx, work));
  };
}

async function serve(ctx: Context, endpoint: ProtectedEndpoint, path: string): Promise<void> {
  authenticate(ctx, endpoint.token);
  for (const [pattern, methods] of ROUTES) {
    const match = pattern.exec(path);
    if (!match) continue;
    const handler = methods[ctx.method === 'HEAD' ? 'GET' : ctx.method];
    if (!handler) throw wrongMethod(Object.keys(methods));
    return handler(ctx, endpoint, match[1] as string);
  }
  throw notFound();
}

/** RFC 7644 §2, RFC 6750 §2.1, §3. */
function authenticate(ctx: Context, token: string): void {
  const [, given] = /^Bearer +(\S+)$/i.exec(ctx.get('Authorization')) ?? [];
  if (given !== undefined && equalInConstantTime(given, token)) return;
  throw new HttpError(401, 'invalid_token', 'The bearer token of this endpoint is missing or wrong.', {
    reason: given === undefined ? 'no SCIM token' : 'SCIM token not valid',
    headers: { 'WWW-Authenticate': given === undefined ? 'Bearer' : 'Bearer error="invalid_token"' },
  });
}

const wrongMethod = (methods: readonly string[]): HttpError =>
  new HttpError(405, 'invalid_request', 'This method is not supported here.', {
    headers: { Allow: methods.join(', ') },
  });
