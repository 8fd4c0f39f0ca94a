/**
 * Owns how an answer is written on node:http in one step: what a request has gathered for its answer and the headers of the answer
 * itself are one flat list, which Node writes as it is. Headers that are set one by one are checked, stored and read again by Node.
 */
import type { ServerResponse } from 'node:http';

/** Names and values in turn. */
export type Headers = readonly string[];

/** An answer in JSON that nobody may keep. */
export const JSON_ANSWER: Headers = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

const GATHERED = Symbol('headers of the answer');

type Gathering = ServerResponse & { [GATHERED]?: Headers | undefined };

/** For whatever the answer will be, if one of the functions below writes it. A header must not be gathered twice. */
export function gather(res: Gathering, headers: Headers): void {
  const before = res[GATHERED];
  res[GATHERED] = before ? [...before, ...headers] : headers;
}

const withGathered = ({ [GATHERED]: gathered }: Gathering, headers: Headers): string[] =>
  gathered ? [...gathered, ...headers] : [...headers];

/** Writes the status and the headers; a body may follow. */
export function beginAnswer(res: Gathering, status: number, headers: Headers): ServerResponse {
  res.writeHead(status, withGathered(res, headers));
  // A stream may stay open for days.
  res[GATHERED] = undefined;
  return res;
}

/** Maximum number of writes that wait for the end of a turn, and of characters of an answer that waits. */
const MOST = 32;
const SMALL = 16_384;

let waiting: (() => void)[] = [];

/** Before the end of the turn, which is too late where the connection ends with this turn. */
export function writeWaiting(): void {
  const writes = waiting;
  waiting = [];
  for (const write of writes) write();
}

/**
 * Writes at the end of this turn of the event loop. The small writes of a turn are then done one right after the other: a reader of many
 * connections, as a gateway, is woken up once for all of them, and waking it costs more than the write.
 */
export function writeLater(write: () => void): void {
  if (waiting.length === 0) setImmediate(writeWaiting);
  waiting.push(write);
  if (waiting.length >= MOST) writeWaiting();
}

/** Writes a whole answer; a small one at the end of this turn of the event loop. */
export function answer(res: ServerResponse, status: number, headers: Headers, text: string): void {
  const all = withGathered(res, headers);
  all.push('Content-Length', String(Buffer.byteLength(text)));
  res.writeHead(status, all);
  if (text.length > SMALL) {
    res.end(text);
    return;
  }
  writeLater(() => {
    if (!res.destroyed) res.end(text);
  });
}

/** The headers of an object as a list; a value may be several. */
export const listOf = (headers: Readonly<Record<string, string | readonly string[]>>): Headers =>
  Object.entries(headers).flatMap(([name, value]) =>
    typeof value === 'string' ? [name, value] : value.flatMap((one) => [name, one]),
  );
