/** Owns what is said of connections that break: clients leave all the time, and only the rest is worth a warning. */
import type { EventEmitter } from 'node:events';
import type { Logger } from '../logger.ts';

const LEFT = new Set<unknown>(['ECONNRESET', 'ECONNABORTED', 'EPIPE']);

/** Without a listener of its own a Koa application prints a stack for each, past the log. */
export function logConnections(app: EventEmitter, log: Logger): void {
  app.on('error', (err: Error) => logConnection(err, log));
}

export function logConnection(err: Error & { readonly code?: unknown }, log: Logger): void {
  if (LEFT.has(err.code)) log.debug({ reason: err.code }, 'client left');
  else log.warn({ err }, 'connection failed');
}
