/**
 * Owns the release of what the context of a request refers to, once its answer is sent.
 *
 * oidc-provider 9.13.3 defines `ctx.oidc` with a getter of its own for each request. V8 creates a pair of accessors in the old generation,
 * so the collector of the young generation treats each context as alive, with its request and answer: all of them were copied, and
 * freed only by a full collection.
 */
import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';

/** Must be the first layer: only Koa uses the context after it, to write the answer. */
export const releaseContext: Middleware = async (ctx, next) => {
  try {
    await next();
  } finally {
    whenSent(ctx.res, () => release(ctx));
  }
};

/** Waits one more turn, for the other listeners. A client may have left before the answer. */
function whenSent(res: ServerResponse, then: () => void): void {
  if (res.closed) setImmediate(then);
  else res.once('close', () => setImmediate(then));
}

function release(ctx: object): void {
  const { oidc } = ctx as { readonly oidc?: object };
  if (!oidc) return;
  Object.assign(oidc, {
    ctx: undefined,
    params: undefined,
    body: undefined,
    entities: {},
    claims: {},
    resourceServers: {},
  });
  Object.assign(ctx, { req: undefined, res: undefined, request: undefined, response: undefined, state: {} });
}
