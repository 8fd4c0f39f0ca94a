/** Owns the two questions of whoever runs a service: does the process live, and does it take requests. */
import type { Middleware } from 'koa';

/**
 * Answers under any host name, because probes call by address. What needs no store is served also by a process that is not ready.
 */
export function operations(isReady: () => boolean): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/livez' && ctx.path !== '/readyz') return next();
    const good = ctx.path === '/livez' || isReady();
    ctx.set('Cache-Control', 'no-store');
    ctx.status = good ? 200 : 503;
    ctx.body = { status: good ? 'ok' : 'unavailable' };
  };
}
