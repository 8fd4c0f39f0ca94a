/** Owns the pairs of the guard: our server and what it is compared with, under the same requests. */
import { load } from '../load.ts';
import { callInSession, ECHO, meet } from '../mcp-parties.ts';
import { type Contestant, listenerOf, startProduct, startRaw } from '../mcp-servers.ts';
import { startBare, startOurs } from '../servers.ts';
import { openSessions } from '../sessions.ts';
import { WORK } from '../token-work.ts';
import { press } from '../wire.ts';

export interface Pair {
  /** Microseconds of processor time for a request, over so many of them. */
  readonly own: Measure;
  readonly reference: Measure;
  /** A round of them takes a third of a second or so. */
  readonly requests: number;
}

type Measure = (requests: number) => Promise<number>;

/** A tools/call in a session, with log, status list and a rule for claims, and bare node:http. */
export async function callPair(started: AsyncDisposableStack, flags: readonly string[]): Promise<Pair> {
  const { issuer, referring } = started.use(await meet());
  const product = await startProduct(issuer, { logs: true, requiredClaims: 'client_id=bench', flags });
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
  return { own: measure(started.use(product)), reference: measure(started.use(await startRaw())), requests: 6_000 };
}

/** Tokens of auth-server on Redis, with log and status list, and of the bare engine. */
export const tokenPair =
  (grant: keyof typeof WORK, requests: number) =>
  async (started: AsyncDisposableStack, flags: readonly string[]): Promise<Pair> => {
    const own = started.use(await startOurs('Redis', { flags }));
    const bare = started.use(await startBare());
    const measure =
      (server: typeof own): Measure =>
      async (total) =>
        (await load(server.port, server.pid, await WORK[grant](server, total))).cpu;
    return { own: measure(own), reference: measure(bare), requests };
  };
