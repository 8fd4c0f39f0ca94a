/**
 * Owns the path of an issuer that has one (`https://example.com/auth`): all routes are below it, and the metadata also at the path
 * of RFC 8414 §3.1. The middleware behind this one sees paths without it.
 */
import { AUTHORIZATION_SERVER_PATH, issuerPath, OPENID_CONFIGURATION_PATH } from '@mcp-oauth/shared/contract';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

/** Anything outside the path is 404: other paths of this host belong to other services. */
export function underIssuerPath(issuer: string): Middleware {
  const path = issuerPath(issuer);
  if (!path) return (_ctx, next) => next();
  return (ctx, next) => {
    const inner = innerTarget(ctx.req.url ?? '', path);
    if (inner === undefined) throw new HttpError(404, 'not_found', 'There is nothing at this address.');
    ctx.req.url = inner;
    // The engine uses it to build the URL of an endpoint.
    ctx.mountPath = path;
    return next();
  };
}

/** The request target as a server without a path would see it; `undefined` for a target that is not below `path`. */
export function innerTarget(target: string, path: string): string | undefined {
  for (const wellKnown of [AUTHORIZATION_SERVER_PATH, OPENID_CONFIGURATION_PATH]) {
    const rest = after(target, wellKnown + path);
    if (rest !== undefined) return wellKnown + rest;
  }
  const rest = after(target, path);
  return rest === undefined || rest.startsWith('/') ? rest : `/${rest}`;
}

/** The rest after `prefix`, if a path segment ends there. */
function after(target: string, prefix: string): string | undefined {
  const rest = target.slice(prefix.length);
  return target.startsWith(prefix) && /^([/?]|$)/.test(rest) ? rest : undefined;
}
