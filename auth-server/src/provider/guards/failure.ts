/** Owns that a failure with an answer of its own, such as a store that can't be reached, gets it instead of the engine's 500. */
import type { Middleware } from 'koa';

/** The engine swallows what is thrown inside it and tells of it by an event, which leaves the failure on the state. */
export const throwFailure: Middleware = async (ctx, next) => {
  await next();
  if (ctx.state.failure) throw ctx.state.failure;
};
