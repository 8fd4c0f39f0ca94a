/**
 * Owns what happens to a request outside the error boundary. Clients disconnect all the time, so only other errors of connections are
 * warnings.
 */
import type { EventEmitter } from 'node:events';
import type { RequestListener } from 'node:http';
import type Koa from 'koa';
import type { Logger } from '../logger.ts';

const LEFT = new Set<unknown>(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

/** Without an error listener a Koa application prints a stack for each error to standard error. */
export function logConnections(app: EventEmitter, log: Logger): void {
  app.on('error', (err: Error) => logConnection(err, log));
}

/** Koa answers with its errors. What fails even then must neither end the process nor leave the client waiting. */
export function listenerOf(app: Pick<Koa, 'callback'>): RequestListener {
  const ask = app.callback();
  return (req, res) => {
    ask(req, res).catch(() => res.destroy());
  };
}

export function logConnection(err: Error & { readonly code?: unknown }, log: Logger): void {
  if (LEFT.has(err.code)) log.debug({ reason: err.code }, 'client left');
  else log.warn({ err }, 'connection failed');
}
