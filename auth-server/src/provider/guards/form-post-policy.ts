/** Ensures that our Content-Security-Policy permits an answer by OAuth 2.0 Form Post Response Mode. */
import type { Middleware } from 'koa';

const POLICY = 'Content-Security-Policy';

/** The engine adds the hash of its script to `script-src` if that directive exists. The source set here allows nothing by itself. */
export const allowFormPost: Middleware = (ctx, next) => {
  if (/^\/authorize(\/|$)/.test(ctx.path)) ctx.set(POLICY, `${ctx.response.get(POLICY)}; script-src 'report-sample'`);
  return next();
};
