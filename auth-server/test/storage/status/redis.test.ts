/** Proves that Redis keeps the contract of the status lists: on one server and on a Cluster of three primaries. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { createRedisStatusStore } from '../../../src/storage/status/redis.ts';
import { statusStoreContract } from '../../contracts/status-store.contract.ts';
import { age, onEachNode } from '../../support/redis-nodes.ts';

const log = createLogger('test', 'silent');

async function open(url: string): Promise<StatusStore> {
  const client = openRedis({ target: redisUrl().parse(url), name: 'test', log });
  return { ...(await createRedisStatusStore(client)), close: async () => void (await client.quit()) };
}

describe.each([
  ['one Redis server', startRedis],
  ['a Redis Cluster', startRedisCluster],
])('%s', (name, start) => {
  let redis: TestRedis;
  beforeAll(async () => {
    if (hasRedis) redis = await start();
  });
  afterAll(() => redis?.[Symbol.asyncDispose]());
  beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

  statusStoreContract(name, {
    open: () => open(redis.url),
    pass: (seconds) => onEachNode(redis, (node) => age(node, seconds)),
    clean: () => onEachNode(redis, (node) => node.flushall()),
  });
});

it('the ACL user of auth-server in deploy/redis may use its status lists', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  const rights =
    '+@all -@admin -@dangerous +info +role -@scripting +eval +evalsha -scan -randomkey -dbsize -select -move';
  await using redis = await startRedis(
    ...['--user', 'auth-server', 'on', '>secret', '~as:*', '&as:*', ...rights.split(' ')],
    ...['--user', 'default', 'off'],
  );
  const store = await open(redis.url.replace('redis://', 'redis://auth-server:secret@'));
  await store.create('abcdefghijklmnopqrstuv', new Uint8Array(8), 100);
  expect(await store.allocate('abcdefghijklmnopqrstuv', [3], 100)).toBe(3);
  await store.mark('abcdefghijklmnopqrstuv', [3], [4]);
  expect([...((await store.marks('abcdefghijklmnopqrstuv'))?.bits ?? [])]).toEqual([24, 0, 0, 0, 0, 0, 0, 0]);
  await store.close();
});
