/**
 * Owns the path of an issuer that has one (`https://example.com/auth`): all routes are below it, and the metadata also at the path
 * of RFC 8414 §3.1. The middleware behind this one sees paths without it.
 */
import { AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH, urlPath } from '@mcp-oauth/shared/contract';
import { HttpError } from '@mcp-oauth/shared/errors';
import { innerTarget } from '@mcp-oauth/shared/http/request/inner-target';
import type { Middleware } from 'koa';

/** Anything outside the path is 404: other paths of this host belong to other services. */
export function underIssuerPath(issuer: string): Middleware {
  const path = urlPath(issuer);
  if (!path) return (_ctx, next) => next();
  return (ctx, next) => {
    const inner = withoutIssuerPath(ctx.req.url ?? '', path);
    if (inner === undefined) throw new HttpError(404, 'not_found', 'There is nothing at this address.');
    ctx.req.url = inner;
    // The engine uses it to build the URL of an endpoint.
    ctx.mountPath = path;
    return next();
  };
}

/** The request target without the path of the issuer; `undefined` for a target that is not below it. */
export const withoutIssuerPath = (target: string, path: string): string | undefined =>
  innerTarget(target, path, [AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH]);
