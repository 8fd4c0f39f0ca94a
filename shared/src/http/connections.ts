/** Owns the log lines about broken connections: clients disconnect all the time, so only other errors are warnings. */
import type { EventEmitter } from 'node:events';
import type { Logger } from '../logger.ts';

const LEFT = new Set<unknown>(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

/** Without an error listener a Koa application prints a stack for each error to standard error. */
export function logConnections(app: EventEmitter, log: Logger): void {
  app.on('error', (err: Error) => logConnection(err, log));
}

export function logConnection(err: Error & { readonly code?: unknown }, log: Logger): void {
  if (LEFT.has(err.code)) log.debug({ reason: err.code }, 'client left');
  else log.warn({ err }, 'connection failed');
}
