/** Owns the display of a JSON log line at a terminal. */
import { visible } from '@mcp-oauth/shared/text/terminal-text';

/** Members with a fixed position, or with the same value in every line of a process. */
const PLACED = new Set(['level', 'time', 'service', 'msg', 'request', 'err']);

/**
 * `12:00:01 info  ready url=http://localhost:8080`, with the request id, so that a reference that a person quotes can be found. The
 * stack of an error follows line by line. Text that is not a log object stays one line.
 */
export function readable(line: string): string {
  const entry = parse(line);
  if (!entry) return visible(line);
  const time = String(entry.time ?? '').slice(11, 19);
  const level = String(entry.level ?? '').padEnd(5);
  const { stack, ...error } = errorOf(entry.err);
  const fields = Object.entries(entry).filter(([name]) => !PLACED.has(name));
  const request = entry.request === undefined ? [] : [['request', entry.request]];
  const all = [...request, ...fields, ...Object.entries(error)];
  const shown = all.map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const first = [time, level, entry.msg, ...shown].join(' ');
  return [first, ...stack.map((one) => `    ${one}`)].map(visible).join('\n');
}

/** A stack begins with the type and the message of its error. */
function errorOf(err: unknown): { readonly stack: readonly string[] } & Readonly<Record<string, unknown>> {
  if (typeof err !== 'object' || err === null || !('stack' in err))
    return err === undefined ? { stack: [] } : { err, stack: [] };
  const { type: _, message: __, stack, ...more } = err as Readonly<Record<string, unknown>>;
  return { ...more, stack: String(stack).split('\n') };
}

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
