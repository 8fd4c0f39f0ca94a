/** Owns the pairs of the guard: a server of this version and of the recorded one, under the same requests. */
import { load } from '../load.ts';
import { callInSession, ECHO, meet } from '../mcp-parties.ts';
import { type Contestant, listenerOf, startProduct } from '../mcp-servers.ts';
import { startOurs } from '../servers.ts';
import { openSessions } from '../sessions.ts';
import { WORK } from '../token-work.ts';
import { press } from '../wire.ts';

export interface Pair {
  readonly now: Measure;
  readonly recorded: Measure;
  /** A round of them takes a fifth of a second or so. */
  readonly requests: number;
}

/** Microseconds of processor time for a request, over so many of them. */
type Measure = (requests: number) => Promise<number>;

export interface Versions {
  /** The tree of the recorded version. */
  readonly root: string;
  /** Arguments of Node for the server of this version. */
  readonly flags: readonly string[];
}

type Open = (started: AsyncDisposableStack, versions: Versions) => Promise<Pair>;

/** A tools/call in a session, with log, status list and a rule for claims. */
const calls: Open = async (started, { root, flags }) => {
  const { issuer, referring } = started.use(await meet());
  const choice = { logs: true, requiredClaims: 'client_id=bench' };
  const measure =
    (server: Contestant): Measure =>
    async (requests) => {
      const sessions = await openSessions(server.port, referring);
      const speakers = sessions.map(({ id, token }) => {
        const request = callInSession(token, id, ECHO);
        let left = requests / sessions.length;
        return () => (left-- > 0 ? request() : undefined);
      });
      return (await press({ servers: [listenerOf(server)], speakers, expected: 'Echo: Hello' })).cpu;
    };
  return {
    now: measure(started.use(await startProduct(issuer, { ...choice, flags }))),
    recorded: measure(started.use(await startProduct(issuer, { ...choice, root }))),
    requests: 3_000,
  };
};

/** Tokens of auth-server on Redis, with log and status list. */
const tokens: Open = async (started, { root, flags }) => {
  const measure =
    (server: Awaited<ReturnType<typeof startOurs>>): Measure =>
    async (requests) =>
      (await load(server.port, server.pid, await WORK.client_credentials(server, requests))).cpu;
  return {
    now: measure(started.use(await startOurs('Redis', { flags }))),
    recorded: measure(started.use(await startOurs('Redis', { root }))),
    requests: 1_000,
  };
};

export const PAIRS: Readonly<Record<string, Open>> = { 'tools/call': calls, client_credentials: tokens };
