/** Ensures that a failure with its own answer, such as an unavailable store, gets that answer instead of the engine's 500. */
import type { Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';

/** The engine catches errors and emits an event; the handler of the event stores the failure in the state. */
export const throwFailure: Middleware = async (ctx, next) => {
  await next();
  const { failure } = stateOf(ctx);
  if (failure) throw failure;
};
