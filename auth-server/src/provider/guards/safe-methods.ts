/** Owns that HEAD is safe (RFC 9110 §9.2.1): whatever looks ahead at a link must neither spend a request nor leave one behind. */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

/** The engine answers HEAD as it answers GET, with all that follows from it. */
export const refuseHead: Middleware = (ctx, next) => {
  if (ctx.method !== 'HEAD' || !/^\/authorize(\/|$)/.test(ctx.path)) return next();
  throw new HttpError(405, 'invalid_request', 'Only GET leads on from here.', { headers: { Allow: 'GET' } });
};
