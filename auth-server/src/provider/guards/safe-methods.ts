/** Ensures that HEAD is safe (RFC 9110 §9.2.1): a link preview must neither use up a request nor create one. */
import type { Middleware } from 'koa';
import { onlyGet } from '../../languages/page-error.ts';

/** The engine treats HEAD like GET, with the same side effects. */
export const refuseHead: Middleware = (ctx, next) => {
  if (ctx.method !== 'HEAD' || !/^\/(authorize|device)(\/|$)/i.test(ctx.path)) return next();
  throw onlyGet();
};
