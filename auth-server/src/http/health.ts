/** Owns the two questions of an orchestrator: is the process alive, and should it get requests. */
import type { Middleware } from 'koa';

export function health(isReady: () => boolean): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/livez') {
      ctx.body = { status: 'alive' };
    } else if (ctx.path === '/readyz') {
      const ready = isReady();
      ctx.status = ready ? 200 : 503;
      ctx.body = { status: ready ? 'ready' : 'draining' };
    } else {
      return next();
    }
    ctx.set('Cache-Control', 'no-store');
  };
}
