/** Owns how a JSON log line looks to a person at a terminal. */

const HIDDEN = new Set(['level', 'time', 'service', 'msg', 'request']);

/** `12:00:01 info  ready url=http://localhost:8080`; a line that is no log object stays as it is. */
export function readable(line: string): string {
  const entry = parse(line);
  if (!entry) return line;
  const time = String(entry.time ?? '').slice(11, 19);
  const level = String(entry.level ?? '').padEnd(5);
  const fields = Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return visible([time, level, entry.msg, ...fields].join(' '));
}

/** Others have a say in what is logged (an upstream's error code, a client's name), but not in what a terminal does (CWE-150). */
const visible = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

function parse(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
