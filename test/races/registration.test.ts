/**
 * Proves that limits on registration hold for two auth-servers together (RFC 7591 §3, §5): the limit of an address, the
 * limit for all, and the uses of an initial access token, each requested by many at the same moment.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, postJson, send } from '../support/oauth-client.ts';
import { Run } from '../support/stack.ts';
import { type Replicas, type Shared, STORAGES, startReplicas } from './replicas.ts';

const ATTEMPTS = 40;
const ROUNDS = 5;
const APP = { redirect_uris: ['https://app.example/callback'] };

/** Behind the balancer every caller has the address of this machine; the replicas trust its forwarding header. */
const register = ({ stack }: Replicas, from: string, token = ''): Promise<Answer> =>
  postJson(`${stack.authUrl}/register`, APP, {
    'x-forwarded-for': from,
    ...(token && { authorization: `Bearer ${token}` }),
  });

const statusesOf = async (answers: readonly Promise<Answer>[]): Promise<Record<string, number>> => {
  const statuses = (await Promise.all(answers)).map(({ status }) => status);
  return Object.fromEntries([...Map.groupBy(statuses, String)].map(([status, all]) => [status, all.length]));
};

const print = (text: string) => process.stdout.write(`${text}\n`);

describe.each(Object.entries(STORAGES))('two auth-servers on %s', (name, share) => {
  let shared: Shared;
  const needsRedis = /Redis/.test(name);
  beforeAll(async () => {
    if (!needsRedis || hasRedis) shared = await share();
  });
  afterAll(() => shared?.[Symbol.asyncDispose]());
  beforeEach((context) => context.skip(needsRedis && !hasRedis, NEEDS_REDIS));

  // A database file is for one process, which counts for itself.
  if (needsRedis) {
    it('RFC 6585 §4 two servers allow an address, and all addresses, what one server would allow', async () => {
      const limits = { REGISTRATION_LIMIT: '5', REGISTRATION_LIMIT_GLOBAL: '12', TRUSTED_PROXIES: 'loopback' };
      await using replicas = await startReplicas(shared, limits);
      const one = await statusesOf(Array.from({ length: ATTEMPTS }, () => register(replicas, '203.0.113.1')));
      expect(one).toEqual({ 201: 5, 429: ATTEMPTS - 5 });
      const many = await statusesOf(Array.from({ length: ATTEMPTS }, (_, n) => register(replicas, `198.51.100.${n}`)));
      expect(many).toEqual({ 201: 7, 429: ATTEMPTS - 7 });
      const refused = await register(replicas, '192.0.2.1');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
      print(`${name}: ${ATTEMPTS} registrations at once: 5 of 5 for one address, then 7 more of 12 for all`);
    });

    it('RFC 9700 §4.16 two servers allow an address as many authorization requests and failures as one', async () => {
      await using replicas = await startReplicas(shared, { AUTHORIZATION_LIMIT: '5', FAILURE_LIMIT: '5' });
      const { json } = await register(replicas, '203.0.113.1');
      const query = new URLSearchParams({ client_id: String(json.client_id), response_type: 'code' });
      const ask = () => send(`${replicas.stack.authUrl}/authorize?${query}`);
      const asked = await statusesOf(Array.from({ length: ATTEMPTS }, ask));
      expect(asked[429]).toBe(ATTEMPTS - 5);
      const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'nobody', refresh_token: 'x' });
      let failures = 0;
      for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const { status } = await send(`${replicas.stack.authUrl}/token`, { method: 'POST', body });
        expect([401, 429]).toContain(status);
        if (status === 401) failures += 1;
      }
      // Each replica learns of the limit by one failure above it.
      expect(failures).toBe(5 + 2);
      print(`${name}: 5 of ${ATTEMPTS} authorization requests at once, ${failures} of ${ATTEMPTS} failures in turn`);
    });
  }

  it('RFC 7591 §3 two servers accept an initial access token exactly as often as it allows', async () => {
    const settings = { REGISTRATION: 'token' };
    await using replicas = await startReplicas(shared, settings);
    const won: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const token = await tokenFor(3, { ISSUER: replicas.stack.authUrl, ...shared.env, ...settings });
      const statuses = await statusesOf(Array.from({ length: 8 }, () => register(replicas, '203.0.113.1', token)));
      won.push(statuses[201] ?? 0);
      expect(statuses).toEqual({ 201: 3, 401: 5 });
    }
    print(`${name}: initial access token good for 3: ${ROUNDS} rounds of 8, winners ${[...new Set(won)].join(', ')}`);
  });
});

/** Created as an operator does, while the servers run. */
async function tokenFor(uses: number, env: NodeJS.ProcessEnv): Promise<string> {
  const run = new Run(env, `auth-server/src/main.ts initial-access-tokens add race --uses ${uses}`);
  const { code, output } = await run.ended;
  expect(code, output).toBe(0);
  return /^[\w-]{43}$/m.exec(output)?.[0] ?? '';
}
