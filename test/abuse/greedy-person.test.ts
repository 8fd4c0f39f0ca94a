/**
 * Proves that one person cannot deny mcp-server to others, whatever they send (CWE-400): memory stays within the
 * container's limit, stored bytes stay within their budgets, and another person is served. Prints the figures.
 */
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { signingKey, signToken, startIssuer } from '../../mcp-server/test/support/issuer.ts';
import { headersOf, request } from '../../mcp-server/test/support/stateless-harness.ts';
import { ask } from './ask.ts';
import { GreedyPerson } from './greedy-person.ts';
import { CONTAINER, hasProc, inWords, NEEDS_PROC, print, watch } from './watched.ts';

const TOOLS = fileURLToPath(new URL('./tools/', import.meta.url));

/**
 * Bytes that a person may leave in the store: four times MAX_STORED_BYTES_PER_PRINCIPAL, for data in transit and for
 * the overhead of the store.
 */
const LEFT = 64 * 1_048_576;

interface Store extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv;
  /** The attacks that concern this storage. */
  readonly moves: RegExp;
  /** Bytes in the store; undefined where the store is part of the process. */
  bytes(): Promise<number | undefined>;
}

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  'sessions in memory': async () => ({
    env: {},
    moves: /./,
    bytes: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  }),
  'sessions in Redis': async () => {
    const redis = await startRedis();
    const client = openRedis({
      target: redisUrl().parse(redis.url),
      name: 'abuse',
      log: createLogger('abuse', 'fatal'),
    });
    await whenReady(client);
    return {
      env: { REDIS_URL: redis.url },
      moves: /stream|session|answers of 1 MB/,
      bytes: async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]),
      [Symbol.asyncDispose]: async () => {
        client.disconnect();
        await redis[Symbol.asyncDispose]();
      },
    };
  },
};

/** Limits that the attacks reach. */
const STORED = ['MAX_BYTES_PER_PRINCIPAL'];
const EVERY = [
  ...STORED,
  'MAX_BATCH_MESSAGES',
  'MAX_MESSAGE_ELEMENTS',
  'MAX_CALLS_PER_PRINCIPAL',
  'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
  'MAX_STORED_BYTES_PER_PRINCIPAL',
];

/** Another person, who calls a tool repeatedly. */
async function neighbour(url: string, token: string, isOver: () => boolean): Promise<readonly number[]> {
  const statuses: number[] = [];
  while (!isOver()) {
    const message = request('tools/call', { name: 'echo', arguments: { message: 'Hello' } });
    const headers = { authorization: `Bearer ${token}`, ...headersOf(message) };
    const { status, text } = await ask(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
    statuses.push(text.includes('Echo: Hello') ? status : 0);
    await setTimeout(50);
  }
  return statuses;
}

describe.each(Object.entries(STORES))('a greedy person at mcp-server with %s', (name, open) => {
  it('RFC 6585 §4 a greedy person is kept within limits, and nobody else notices', async (context) => {
    context.skip(!hasProc, NEEDS_PROC);
    context.skip(name.includes('Redis') && !hasRedis, NEEDS_REDIS);
    const issuer = await startIssuer();
    await using closing = new AsyncDisposableStack();
    closing.defer(issuer.close);
    await using store = await open();
    const key = await signingKey('abuse');
    issuer.keys.push(key.publicJwk);
    const [port = 0, metricsPort = 0] = await freePorts(2);
    const url = `http://localhost:${port}`;
    const settings = { PUBLIC_URL: url, PORT: String(port), ISSUER: issuer.url, TOOLS_DIR: TOOLS, LOG_LEVEL: 'info' };
    await using server = await watch('mcp-server/src/main.ts', { ...settings, ...store.env }, metricsPort);
    const now = Math.floor(Date.now() / 1000);
    const tokenOf = (sub: string) => {
      const who = { iss: issuer.url, aud: `${url}/mcp`, sub, client_id: 'abuse', scope: 'mcp:tools' };
      return signToken({ key, claims: { ...who, iat: now, exp: now + 3_600 } });
    };
    let isOver = false;
    const served = neighbour(url, await tokenOf('neighbour'), () => isOver);
    const greedy = new GreedyPerson(url, await tokenOf('greedy'));
    const before = (await store.bytes()) ?? 0;
    let most = 0;
    print(`\n${name}: ${server.peak()} MiB at the start`);
    for (const [move, make] of Object.entries(greedy.moves).filter(([move]) => store.moves.test(move))) {
      const statuses = await make();
      const kept = (await store.bytes()) ?? before;
      most = Math.max(most, kept - before);
      const stored = kept === before ? '' : `, ${((kept - before) / 1_048_576).toFixed(1)} MiB stored`;
      const counts = Object.groupBy(statuses, String);
      const answered = Object.entries(counts).map(([status, all = []]) => `${all.length} × ${status}`);
      print(`  ${move}: peak ${server.peak()} MiB${stored}${answered.length > 0 ? `; ${answered.join(', ')}` : ''}`);
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
    }
    isOver = true;
    const others = await served;
    const limits = await server.counted('mcp_limits_reached_total');
    print(`  limits reached: ${inWords(limits)}`);
    print(`  refused otherwise: ${inWords(await server.counted('mcp_refusals_total'))}`);
    print(`  calls of somebody else meanwhile: ${others.length}, all answered`);
    expect(server.peak()).toBeLessThan(CONTAINER);
    expect(most).toBeLessThan(LEFT);
    expect(others.filter((status) => status !== 200)).toEqual([]);
    expect(Object.keys(limits)).toEqual(expect.arrayContaining(store.env.REDIS_URL ? STORED : EVERY));
  });
});
