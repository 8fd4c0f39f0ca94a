/**
 * Owns which answers a web page at another origin may read (Fetch §3.2): those of every endpoint that a client calls, including
 * errors. These endpoints do not use cookies, so a check of the origin would protect nothing: every origin is allowed, including
 * `null`, but without credentials. The endpoints that a person visits are excluded.
 */
import type { Middleware } from 'koa';

/** In every spelling that the engine accepts: its router ignores case and a trailing slash. */
const METHODS: readonly (readonly [path: RegExp, methods: string])[] = [
  [/^\/(jwks|status\/[^/]+|\.well-known\/(oauth-authorization-server|openid-configuration))\/?$/i, 'GET'],
  [/^\/(token|revoke|register|par|device_authorization)\/?$/i, 'POST'],
  [/^\/register\/[^/]+\/?$/i, 'GET, PUT, DELETE'],
];

const EXPOSED = 'Retry-After, WWW-Authenticate, X-Request-Id';
const HOUR = 3_600;

/** The engine does not change CORS headers that are already set. */
export const cors: Middleware = (ctx, next) => {
  const [, methods] = METHODS.find(([path]) => path.test(ctx.path)) ?? [];
  if (!methods) return next();
  ctx.set('Access-Control-Allow-Origin', '*');
  if (ctx.method !== 'OPTIONS') {
    if (methods !== 'GET') ctx.set('Access-Control-Expose-Headers', EXPOSED);
    return next();
  }
  ctx.set({
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': ctx.get('Access-Control-Request-Headers') || 'Content-Type',
    'Access-Control-Max-Age': String(HOUR),
  });
  ctx.status = 204;
  return undefined;
};
