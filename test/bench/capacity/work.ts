/** Owns the work of clients that capacity is measured with: loads of some seconds, and calls of many sessions once each. */
import { callInSession, ECHO, type ToolCall } from '../mcp-parties.ts';
import type { OpenSession } from '../sessions.ts';
import { press, type Speaker, until } from '../wire.ts';
import type { Replica } from './fleet.ts';

/** Number of connections. */
const AT_ONCE = 50;

export const PROGRESS: ToolCall = {
  name: 'countdown',
  arguments: { from: 1, interval_ms: 0 },
  progressToken: 1,
};

type Request = () => string;

const send = async ({ port, program }: Replica, speakers: readonly Speaker[]): Promise<number> =>
  (await press({ servers: [{ port, pid: program.pid }], speakers })).requests;

/** Each connection repeats its request for some seconds. @returns the number of requests */
export const repeat = (replica: Replica, requests: readonly Request[], seconds: number) => (): Promise<number> => {
  const end = performance.now() + seconds * 1000;
  return send(
    replica,
    requests.map((request) => until(end, request)),
  );
};

/** Each request is sent once, on a few connections. @returns the number of requests */
export const once = (replica: Replica, requests: readonly Request[]) => (): Promise<number> => {
  const waiting = requests.toReversed();
  const speaker: Speaker = () => waiting.pop()?.();
  return send(
    replica,
    Array.from({ length: Math.min(AT_ONCE, requests.length) }, () => speaker),
  );
};

export const calls = (sessions: readonly OpenSession[], call: ToolCall = ECHO): Request[] =>
  sessions.map(({ id, token }) => callInSession(token, id, call));

/** As many tokens as sessions, of the people in turn. */
export const shared = (tokens: readonly string[], count: number): string[] =>
  Array.from({ length: count }, (_, n) => tokens[n % tokens.length] ?? '');
