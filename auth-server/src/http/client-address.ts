/** Owns the step that remembers the address of the caller, which the limits count, before another step removes its header. */
import type { BlockList } from 'node:net';
import { createClientAddress, FORGOTTEN_PROXY, forgottenProxy } from '@mcp-oauth/shared/http/request/client-address';
import type { Middleware } from 'koa';
import { stateOf } from '../context-state.ts';

export function rememberClientAddress(trusted: BlockList): Middleware {
  const addressOf = createClientAddress(trusted);
  let told = false;
  return (ctx, next) => {
    const state = stateOf(ctx);
    state.clientAddress = addressOf(ctx.req);
    const proxy = told ? undefined : forgottenProxy(ctx.req, trusted);
    if (proxy !== undefined) {
      told = true;
      state.log.warn({ proxy }, FORGOTTEN_PROXY);
    }
    return next();
  };
}
