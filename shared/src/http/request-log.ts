/** Owns the log line of a request and the request id, which connects it with all other lines about that request. */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Middleware } from 'koa';
import { type Logger, type PlainMembers, plainLines } from '../logger.ts';

export interface RequestState {
  /** Sent as `X-Request-Id`, and a member of every log line about the request. */
  readonly requestId: string;
  readonly log: Logger;
  /** The outcome of the request, as members of its log line. */
  outcome?: PlainMembers;
}

/** Most requests write no other line than their own, so their logger is created when it is asked for. */
class State implements RequestState {
  readonly requestId = randomUUID();
  readonly #log: Logger;
  #own: Logger | undefined;
  outcome?: PlainMembers;

  constructor(log: Logger) {
    this.#log = log;
  }

  get log(): Logger {
    this.#own ??= this.#log.child({ request: this.requestId });
    return this.#own;
  }
}

const QUIET = new Set(['/livez', '/readyz']);

/**
 * Query strings carry codes and states: only the path is logged.
 * @param shown leaves out what a path has that no log may have
 */
export function requestLog(log: Logger, shown = (path: string): string => path): Middleware<RequestState> {
  const info = plainLines(log, 'request');
  return (ctx, next) => {
    const started = performance.now();
    const state = new State(log);
    const { requestId: request } = state;
    ctx.state = state;
    ctx.set('X-Request-Id', request);
    ctx.res.once('close', () => {
      const { method, path, res } = ctx;
      const line = requestLine(res, { request, method, path: shown(path), started });
      if (QUIET.has(path)) log.debug(line, 'request');
      else info(line, state.outcome);
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
