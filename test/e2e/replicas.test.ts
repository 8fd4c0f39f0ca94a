/**
 * Owns the proof that auth-server may run as often as wanted: two processes on one Redis behind a balancer that alternates
 * them per request, where every race has one winner and a killed process costs nobody anything.
 */

import type { TestServer } from '@mcp-oauth/shared/testing/listen';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OAuthClient } from './oauth-client.ts';
import { roundRobin } from './round-robin.ts';
import { freePorts, Run, type Stack } from './stack.ts';

const ROUNDS = 50;
const RACERS = 4;

describe.each([
  ['one Redis server', startRedis],
  ['a Redis Cluster', startRedisCluster],
])('two auth-servers on %s', (_, start) => {
  let redis: TestRedis;
  let balancer: TestServer;
  let idp: Run;
  const replicas: Run[] = [];
  /** What a client needs to know of a stack. */
  let stack: Stack;

  beforeAll(async () => {
    if (!hasRedis) return;
    redis = await start();
    const ports: number[] = [];
    balancer = await roundRobin(ports);
    const [first = 0, second = 0, idpPort] = await freePorts(3);
    ports.push(first, second);
    const issuer = balancer.url.replace('127.0.0.1', 'localhost');
    const env = {
      ISSUER: issuer,
      DEVELOPMENT_IDP_URL: `http://localhost:${idpPort}`,
      REDIS_URL: redis.url,
      REGISTRATION_LIMIT: '100000',
    };
    idp = new Run(env, 'development-idp/src/main.ts');
    for (const port of ports) replicas.push(new Run({ ...env, PORT: String(port) }, 'auth-server/src/main.ts'));
    await Promise.all([idp, ...replicas].map((run) => run.says('"msg":"ready"')));
    stack = { authUrl: issuer, mcpUrl: 'http://localhost:8080' } as Stack;
  });
  afterAll(async () => {
    await Promise.all([idp, ...replicas].map((run) => run?.stop()));
    await balancer?.close();
    await redis?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  const winners = (answers: readonly { status: number }[]): number =>
    answers.filter(({ status }) => status === 200).length;

  it('a sign-in whose every request meets the other process comes to its end', async () => {
    const client = await OAuthClient.register(stack);
    const { refresh_token } = await client.tokens();
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it(`RFC 6749 §4.1.2 of ${RACERS} parallel redemptions of a code exactly one wins, ${ROUNDS} times`, async () => {
    const client = await OAuthClient.register(stack);
    for (let round = 0; round < ROUNDS; round += 1) {
      const code = await client.code();
      const answers = await Promise.all(Array.from({ length: RACERS }, () => client.redeem(code)));
      expect(winners(answers), `round ${round}`).toBe(1);
    }
  });

  it(`RFC 9700 §4.14.2 of ${RACERS} parallel refreshes with a token at most one wins, ${ROUNDS} times`, async () => {
    const client = await OAuthClient.register(stack);
    for (let round = 0; round < ROUNDS; round += 1) {
      const { refresh_token } = await client.tokens();
      const answers = await Promise.all(Array.from({ length: RACERS }, () => client.refresh(refresh_token)));
      expect(winners(answers), `round ${round}`).toBe(1);
    }
  });

  it('signs with one set of keys', async () => {
    const keys = await Promise.all([1, 2].map(async () => (await fetch(`${stack.authUrl}/jwks`)).text()));
    expect(new Set(keys).size).toBe(1);
  });
});
