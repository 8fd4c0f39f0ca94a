/**
 * Owns what a web page at another origin may read (Fetch §3.2): the answers of every endpoint that a client calls, errors too.
 * None of them looks at cookies, so an origin proves and protects nothing there: all may, `null` too, and none with credentials.
 * The endpoints that a person visits are not among them.
 */
import type { Middleware } from 'koa';

/** In every spelling that reaches the engine: its router looks at neither case nor a last slash. */
const METHODS: readonly (readonly [path: RegExp, methods: string])[] = [
  [/^\/(jwks|\.well-known\/(oauth-authorization-server|openid-configuration))\/?$/i, 'GET'],
  [/^\/(token|revoke|register|par)\/?$/i, 'POST'],
  [/^\/register\/[^/]+\/?$/i, 'GET, PUT, DELETE'],
];

const EXPOSED = 'Retry-After, WWW-Authenticate, X-Request-Id';
const HOUR = 3_600;

/** The engine leaves CORS alone where it is decided already. */
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
