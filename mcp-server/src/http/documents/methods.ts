/**
 * Owns the methods of a route: OPTIONS lists them, and any other method gets 405 with the same list (RFC 9110
 * §15.5.6).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

export function methods(...allowed: readonly string[]): Middleware {
  const list = allowed.join(', ');
  return async (ctx, next) => {
    if (allowed.includes(ctx.method)) return next();
    if (ctx.method !== 'OPTIONS') {
      throw new HttpError(405, 'invalid_request', `Only ${list} can be used here.`, {
        reason: 'method_not_allowed',
        headers: { Allow: list },
      });
    }
    ctx.set('Allow', list);
    ctx.status = 204;
  };
}
