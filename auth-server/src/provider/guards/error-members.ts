/** Ensures that an error answer has the members that a grant of our own adds: the engine writes only those of RFC 6749 §5.2. */
import type { Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';

export const addErrorMembers: Middleware = async (ctx, next) => {
  await next();
  const { errorMembers } = stateOf(ctx);
  if (errorMembers) Object.assign(ctx.body as object, errorMembers);
};
