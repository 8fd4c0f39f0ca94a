/** Owns that an answer by OAuth 2.0 Form Post Response Mode gets through our own Content-Security-Policy. */
import type { Middleware } from 'koa';

const POLICY = 'Content-Security-Policy';

/** The engine adds the hash of its one script to `script-src`, if there is one; by itself this source allows nothing. */
export const allowFormPost: Middleware = (ctx, next) => {
  if (/^\/authorize(\/|$)/.test(ctx.path)) ctx.set(POLICY, `${ctx.response.get(POLICY)}; script-src 'report-sample'`);
  return next();
};
