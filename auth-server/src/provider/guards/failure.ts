/** Owns that a failure with an answer of its own, such as a store that can't be reached, gets it instead of the engine's 500. */
import type { Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';

/** The engine swallows what is thrown inside it and tells of it by an event, which leaves the failure on the state. */
export const throwFailure: Middleware = async (ctx, next) => {
  await next();
  const { failure } = stateOf(ctx);
  if (failure) throw failure;
};
