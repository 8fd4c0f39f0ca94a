/** Owns the one log line of a request and the id that joins it with everything else said about that request. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { Logger } from '../logger.ts';

export interface RequestState {
  /** Sent as `X-Request-Id`, and a member of every log line about the request. */
  requestId: string;
  log: Logger;
  /** What became of the request, where its own line may as well say it. */
  outcome?: Readonly<Record<string, unknown>>;
}

const QUIET = new Set(['/livez', '/readyz']);

/** Query strings carry codes and states: only the path is logged. */
export function requestLog(log: Logger): Middleware<RequestState> {
  return (ctx, next) => {
    const started = performance.now();
    ctx.state.requestId = randomUUID();
    ctx.state.log = log.child({ request: ctx.state.requestId });
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.res.once('close', () => {
      const { method, path, res } = ctx;
      const level = QUIET.has(path) ? 'debug' : 'info';
      ctx.state.log[level]({ ...requestLine(res, { method, path, started }), ...ctx.state.outcome }, 'request');
    });
    return next();
  };
}

/** What the line of a request says once its connection is done with it; no status when the client left before an answer. */
export function requestLine(
  res: ServerResponse,
  { method, path, started }: { readonly method: string; readonly path: string; readonly started: number },
): Record<string, unknown> {
  const ms = Math.round((performance.now() - started) * 10) / 10;
  return { method, path, status: res.headersSent ? res.statusCode : undefined, ms };
}
