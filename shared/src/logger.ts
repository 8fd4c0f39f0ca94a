/**
 * Owns the shape of the log: one JSON object a line, an event name as message, no secret in it, ever, and no character that a
 * terminal obeys.
 */
import { pino } from 'pino';
import { systemClock } from './clock.ts';
import { wellFormedLine } from './json-text.ts';
import { visibleJson } from './terminal-text.ts';

export type Logger = pino.Logger;

/** Members that are cut out wherever they stand near the top of a log object; the last wall, not the first. */
export const REDACTED = [
  'authorization', 'cookie', 'set-cookie', 'access_token', 'refresh_token', 'id_token', 'client_secret', 'code',
  'code_verifier', 'state', 'password', 'token', 'assertion',
] as const; // biome-ignore format: one list

const SECRET: ReadonlySet<string> = new Set(REDACTED);
const LEVELS = 4;

/** A copy without secrets. By hand, as every line passes here: pino's own redaction costs as much as a whole answer. */
function withoutSecrets(members: Readonly<Record<string, unknown>>, levels = LEVELS): Record<string, unknown> {
  const clean = (value: unknown): unknown => {
    if (levels === 1) return value;
    if (Array.isArray(value)) return value.map(clean);
    return isPlain(value) ? withoutSecrets(value, levels - 1) : value;
  };
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(members)) {
    const value = members[name];
    copy[name] = SECRET.has(name) ? '[redacted]' : typeof value === 'object' ? clean(value) : value;
  }
  return copy;
}

/** What is logged as its members; an error and the like have serializers, whose result is clean. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** An error's `code` tells the operator ECONNREFUSED or ENOSPC, while a member `code` of anything else may be a secret. */
function serializeError(error: unknown): Record<string, unknown> {
  // Anything can be thrown, and what has no members would break the line that tells of it.
  if (!(error instanceof Error))
    return { type: error === null ? 'null' : typeof error, message: 'no error was thrown' };
  const { code } = error as { readonly code?: unknown };
  return withoutSecrets({ ...pino.stdSerializers.err(error), ...(typeof code === 'string' && { errno: code }) });
}

/** Many lines fall into one millisecond, and writing a date costs more than the rest of a line's frame. */
function createTimestamp(): () => string {
  let latest = Number.NaN;
  let text = '';
  return () => {
    const now = systemClock.now();
    if (now !== latest) text = `,"time":"${new Date(now).toISOString()}"`;
    latest = now;
    return text;
  };
}

/** Milliseconds in which lines are collected after one that was written at once. */
const WINDOW = 20;

/** Bytes that wait at most. */
const MOST = 32_768;

/**
 * Standard output of the process. A line after silence is written at once, those that follow it closely together: under load
 * that is one call for many lines. They wait as bytes: as strings each would be a tree of its pieces, to be moved about in
 * memory until then. When the reader goes away the log is lost and nothing else: pino's own destination would try again for
 * ever, and keep the process from ending.
 */
function standardOutput(): Destination {
  const waiting = Buffer.allocUnsafe(MOST);
  let used = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    if (used > 0) process.stdout.write(Buffer.from(waiting.subarray(0, used)));
    used = 0;
  };
  process.stdout.on('error', () => {});
  process.once('exit', flush);
  /** False for a line that has to be written by itself: one that is too long, or is not plain ASCII. */
  const keep = (line: string): boolean => {
    // A UTF-16 unit is three bytes at the most.
    const most = line.length * 3;
    if (most > MOST) return false;
    if (most > MOST - used) flush();
    const bytes = waiting.write(line, used);
    if (bytes !== line.length || line.includes('\x7f')) return false;
    used += bytes;
    return true;
  };
  return {
    write: (given) => {
      const line = wellFormedLine(given);
      if (!timer || !keep(line)) {
        flush();
        process.stdout.write(visibleJson(line));
      }
      timer ??= setTimeout(() => {
        timer = undefined;
        flush();
      }, WINDOW).unref();
    },
    flush: (done) => {
      flush();
      process.stdout.write('', () => done());
    },
  };
}

interface Destination extends pino.DestinationStream {
  flush?(done: () => void): void;
}

/** Milliseconds that a reader of the log has for the rest of it. */
const PATIENCE = 1_000;

/** Resolves when everything is written: what a pipe has not taken yet is lost with the process. */
export const logWritten = (log: Logger): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PATIENCE).unref();
    log.flush(() => resolve());
  });

const cleaned = (destination: Destination): Destination => ({
  write: (line) => destination.write(visibleJson(wellFormedLine(line))),
  flush: (done) => (destination.flush ? destination.flush(done) : done()),
});

/** @param destination absent: standard output */
export function createLogger(service: string, level: string, destination?: Destination): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }), log: (members) => withoutSecrets(members) },
      serializers: { err: serializeError },
    },
    destination ? cleaned(destination) : standardOutput(),
  );
}
