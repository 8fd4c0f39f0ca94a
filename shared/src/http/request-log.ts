/** Owns the log line of a request and the request id, which connects it with all other lines about that request. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import type { Logger, PlainMembers } from '../logger.ts';

export interface RequestState {
  /** Sent as `X-Request-Id`, and a member of every log line about the request. */
  requestId: string;
  log: Logger;
  /** The outcome of the request, as members of its log line. */
  outcome?: Readonly<Record<string, unknown>>;
}

const QUIET = new Set(['/livez', '/readyz']);

/**
 * Query strings carry codes and states: only the path is logged.
 * @param shown leaves out what a path has that no log may have
 */
export function requestLog(log: Logger, shown = (path: string): string => path): Middleware<RequestState> {
  return (ctx, next) => {
    const started = performance.now();
    ctx.state.requestId = randomUUID();
    ctx.state.log = log.child({ request: ctx.state.requestId });
    ctx.set('X-Request-Id', ctx.state.requestId);
    ctx.res.once('close', () => {
      const { method, path, res } = ctx;
      const level = QUIET.has(path) ? 'debug' : 'info';
      ctx.state.log[level](
        { ...requestLine(res, { method, path: shown(path), started }), ...ctx.state.outcome },
        'request',
      );
    });
    return next();
  };
}

interface LoggedRequest {
  /** The request id; absent: the logger adds it. */
  readonly request?: string;
  readonly method: string;
  readonly path: string;
  readonly started: number;
}

/** The log line of a finished request; it has no status if the client left before the answer. */
export function requestLine(res: ServerResponse, { request, method, path, started }: LoggedRequest): PlainMembers {
  const ms = Math.round((performance.now() - started) * 10) / 10;
  return { request, method, path, status: res.headersSent ? res.statusCode : undefined, ms };
}
