/** Proves that several auth-servers on one Redis answer exchanges (RFC 8693) like one. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createRedisStore } from '../../src/storage/redis.ts';
import { createRedisStatusStore } from '../../src/storage/status/redis.ts';
import { register, tokensFor } from '../support/client.ts';
import { assertionOf, BILLING, exchange, LEDGER, otherPair, pair, startExchange } from '../support/exchange.ts';
import { form, type RunningServer, read } from '../support/running-server.ts';

let redis: TestRedis;
let one: RunningServer;
let two: RunningServer;

async function startReplica(): Promise<RunningServer> {
  const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log: createLogger('test', 'silent') });
  return startExchange({ store: await createRedisStore(client), statusStore: await createRedisStatusStore(client) });
}

beforeAll(async () => {
  if (!hasRedis) return;
  redis = await startRedis();
  [one, two] = [await startReplica(), await startReplica()];
});
afterAll(async () => {
  if (!hasRedis) return;
  await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
  await redis[Symbol.asyncDispose]();
});
beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

it('RFC 8693 §2 a token of one replica is exchanged at another, and its chain goes on at the first', async () => {
  const { access_token } = await tokensFor(one, await register(one));
  const first = await read(await exchange(two, access_token));
  const caller = { id: 'billing-server', key: otherPair };
  const second = await read(await exchange(one, first.access_token, { resource: LEDGER }, caller));
  expect([first, second].map((answer) => decodeJwt(String(answer.access_token)).aud)).toEqual([BILLING, LEDGER]);
});

it('RFC 7009 §2.1 a revocation at one replica ends exchanges at another at once, also of exchanged tokens', async () => {
  const client = await register(one);
  const { access_token, refresh_token } = await tokensFor(one, client);
  const first = await read(await exchange(two, access_token));
  await one.fetch('/revoke', form({ client_id: client.id, token: String(refresh_token) }));
  const caller = { id: 'billing-server', key: otherPair };
  for (const refused of [
    await exchange(two, access_token),
    await exchange(two, first.access_token, { resource: LEDGER }, caller),
  ]) {
    expect([refused.status, (await read(refused)).error]).toEqual([400, 'invalid_request']);
  }
});

it('RFC 7523 §3 one assertion that is sent to several replicas at once succeeds at exactly one', async () => {
  const { access_token } = await tokensFor(one, await register(one));
  const credentials = {
    client_assertion: await assertionOf('mcp-server', pair),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
  const answers = await Promise.all(
    [one, two, one, two].map((server) => exchange(server, access_token, {}, { credentials })),
  );
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401, 401]);
});
