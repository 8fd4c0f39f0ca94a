/**
 * Owns the format of the log: one JSON object per line, with an event name as message, without secrets and without characters that
 * control a terminal.
 */
import { pino } from 'pino';
import { systemClock } from './clock.ts';
import { quoted, wellFormedLine } from './text/json-text.ts';
import { visibleJson } from './text/terminal-text.ts';

export type Logger = pino.Logger;

/** Members that are redacted in the upper levels of a log object: the last line of defence, not the first. */
export const REDACTED = [
  'authorization', 'cookie', 'set-cookie', 'access_token', 'refresh_token', 'id_token', 'client_secret', 'code',
  'code_verifier', 'state', 'password', 'token', 'assertion',
] as const; // biome-ignore format: one list

const SECRET: ReadonlySet<string> = new Set(REDACTED);
const LEVELS = 4;

/** A copy without secrets. It runs for every line, and pino's own redaction costs as much as a whole answer. */
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

/** Whether a value is logged by its members; errors and similar objects have serializers with clean results. */
const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** The `code` of an error is needed (ECONNREFUSED, ENOSPC), but a member `code` of anything else may be a secret. */
function serializeError(error: unknown): Record<string, unknown> {
  // Any value can be thrown, and one without members would break the log line.
  if (!(error instanceof Error))
    return { type: error === null ? 'null' : typeof error, message: 'the thrown value is not an Error' };
  const { code, command } = error as { readonly code?: unknown; readonly command?: { readonly name?: unknown } };
  return withoutSecrets({
    ...pino.stdSerializers.err(error),
    ...(typeof code === 'string' && { errno: code }),
    // CWE-532: ioredis adds the whole command, whose arguments are ids, events and secrets.
    ...(command !== undefined && { command: typeof command?.name === 'string' ? command.name : undefined }),
  });
}

/** Many lines are written in one millisecond, and formatting a date costs more than the rest of the line's fixed members. */
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

/** Milliseconds for which lines are collected after one that was written at once. */
const WINDOW = 20;

/** Maximum number of waiting bytes. */
const MOST = 32_768;

/**
 * Standard output of the process. A line after a pause is written at once, lines that follow closely are written together: under load
 * that is one call for many lines. They wait as bytes, because strings would be trees of fragments that the garbage collector moves
 * around. If the reader goes away, only the log is lost: pino's own destination would retry for ever and keep the process alive.
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
  /** False for a line that must be written separately: one that is too long, or not plain ASCII. */
  const keep = (line: string): boolean => {
    // A UTF-16 unit has at most three bytes.
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

let output: Destination | undefined;

/** One for all loggers of the process: their lines keep their order, and each would add its own listeners. */
const sharedOutput = (): Destination => {
  output ??= standardOutput();
  return output;
};

interface Destination extends pino.DestinationStream {
  flush?(done: () => void): void;
}

/** Milliseconds that the reader of the log gets for the last lines. */
const PATIENCE = 1_000;

/** Resolves when everything is written: lines that a pipe has not accepted yet are lost when the process ends. */
export const logWritten = (log: Logger): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, PATIENCE).unref();
    log.flush(() => resolve());
  });

const cleaned = (destination: Destination): Destination => ({
  write: (line) => destination.write(visibleJson(wellFormedLine(line))),
  flush: (done) => (destination.flush ? destination.flush(done) : done()),
});

/** Members of a line that are texts and numbers, and are no secrets; `undefined` for absent ones. */
export type PlainMembers = Readonly<Record<string, string | number | undefined>>;

/**
 * Writes lines of level info with one message. Such a line is written for every request, where pino's own way takes longer than most of
 * what it reports. The lines look the same, but nothing in them is redacted.
 */
export function plainLines(log: Logger, message: string): (members: PlainMembers, more?: PlainMembers) => void {
  const { streamSym, timeSym, chindingsSym } = pino.symbols;
  const inner = log as unknown as Readonly<{ [symbol: symbol]: unknown }>;
  const [output, timestamp] = [inner[streamSym] as Destination, inner[timeSym] as () => string];
  const end = `,"msg":${quoted(message)}}\n`;
  return (members, more) => {
    if (!log.isLevelEnabled('info')) return;
    output.write(
      `{"level":"info"${timestamp()}${inner[chindingsSym]}${textOf(members)}${more ? textOf(more) : ''}${end}`,
    );
  };
}

function textOf(members: PlainMembers): string {
  let text = '';
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) text += `,"${name}":${typeof value === 'string' ? quoted(value) : value}`;
  }
  return text;
}

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
    destination ? cleaned(destination) : sharedOutput(),
  );
}
