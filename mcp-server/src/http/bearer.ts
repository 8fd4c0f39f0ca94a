/** Owns the way from a request to its principal: the bearer token of the Authorization header and no other (RFC 6750 §2.1). */
import type { IncomingMessage } from 'node:http';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { RequestState } from '@mcp-oauth/shared/http/request-log';
import type { Middleware } from 'koa';
import type { VerifyToken } from '../authorization/access-token.ts';
import { type Challenge, challenge } from '../authorization/challenge.ts';
import type { Principal } from '../authorization/principal.ts';
import type { ScopePolicy } from '../authorization/scope.ts';
import { TokenError } from '../authorization/token-error.ts';

/** What the onion has put on `ctx.state` before an endpoint runs. */
export interface AuthorizedState extends RequestState {
  principal: Principal;
  /** The parsed JSON body of a POST. */
  message: unknown;
}

export interface ProtectedResource {
  /** URL of its RFC 9728 document: `/mcp` and `/sse` have one each, and strict clients compare. */
  readonly metadataUrl: string;
  readonly scopes: ScopePolicy;
  readonly verify: VerifyToken;
}

/** Puts the principal on the state, or answers with a challenge. */
export function bearer(resource: ProtectedResource): Middleware<AuthorizedState> {
  return async (ctx, next) => {
    // RFC 6750 §2.3 tokens end up in logs and histories: not even beside a header may one stand in the URL.
    if (new URLSearchParams(ctx.querystring).has('access_token')) {
      throw refuse(resource, 400, 'invalid_request', 'Access tokens are not accepted in the URL.', 'token_in_query');
    }
    ctx.state.principal = await authenticate(resource, ctx.req);
    await next();
  };
}

/** Lets a request pass when its principal has the scopes that it needs; nothing has run before. */
export function requireScopes(resource: ProtectedResource): Middleware<AuthorizedState> {
  const { scopes, metadataUrl } = resource;
  return async (ctx, next) => {
    const wanted = scopes.stepUp(ctx.state.principal.scopes, scopes.required(ctx.state.message));
    if (wanted) {
      const description = 'The access token lacks a scope that this request needs.';
      throw challenged(403, {
        resourceMetadata: metadataUrl,
        scopes: wanted,
        error: 'insufficient_scope',
        description,
      });
    }
    await next();
  };
}

async function authenticate(resource: ProtectedResource, request: IncomingMessage): Promise<Principal> {
  const { authorization = [] } = request.headersDistinct;
  const [header, ...more] = authorization;
  if (more.length > 0) {
    throw refuse(resource, 400, 'invalid_request', 'There is more than one Authorization header.', 'several_headers');
  }
  // RFC 6750 §3: another scheme is no attempt to show a bearer token.
  if (!header || !/^bearer(?: |$)/i.test(header)) {
    throw new HttpError(401, 'unauthorized', 'Unauthorized: an access token is needed.', {
      reason: header ? 'other_scheme' : 'no_token',
      headers: {
        'WWW-Authenticate': challenge({ resourceMetadata: resource.metadataUrl, scopes: resource.scopes.initial }),
      },
    });
  }
  const [, token] = /^bearer +([\w\-.~+/]+=*)$/i.exec(header) ?? [];
  if (!token) throw invalidToken(resource, 'malformed');
  return resource.verify(token).catch((error: unknown) => {
    throw error instanceof TokenError ? refusal(resource, error) : error;
  });
}

function refusal(resource: ProtectedResource, error: TokenError): HttpError {
  if (error.reason !== 'keys_unavailable') return invalidToken(resource, error.reason);
  return new HttpError(503, 'temporarily_unavailable', "The issuer's keys can't be fetched. Please try again.", {
    reason: error.reason,
    headers: { 'Retry-After': '5' },
    cause: error,
  });
}

const invalidToken = (resource: ProtectedResource, reason: string): HttpError =>
  refuse(resource, 401, 'invalid_token', 'Unauthorized: the access token is invalid or has expired.', reason);

function refuse(
  { metadataUrl, scopes }: ProtectedResource,
  status: number,
  error: 'invalid_request' | 'invalid_token',
  description: string,
  reason: string,
): HttpError {
  return challenged(status, { resourceMetadata: metadataUrl, scopes: scopes.initial, error, description }, reason);
}

function challenged(status: number, parts: Required<Challenge>, reason: string = parts.error): HttpError {
  return new HttpError(status, parts.error, parts.description, {
    reason,
    headers: { 'WWW-Authenticate': challenge(parts) },
  });
}
