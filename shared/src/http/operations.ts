/** Owns the two probes of a service: liveness and readiness. */
import type { Middleware } from 'koa';

/**
 * Answers for any host name, because probes use addresses. A process that is not ready still serves requests that need no store.
 * @param details what the readiness probe says besides: for the operator who reads it, and nothing secret
 */
export function operations(isReady: () => boolean, details: () => object = () => ({})): Middleware {
  return (ctx, next) => {
    if (ctx.path !== '/livez' && ctx.path !== '/readyz') return next();
    const good = ctx.path === '/livez' || isReady();
    ctx.set('Cache-Control', 'no-store');
    ctx.status = good ? 200 : 503;
    ctx.body = { status: good ? 'ok' : 'unavailable', ...(ctx.path === '/readyz' && details()) };
    return undefined;
  };
}
