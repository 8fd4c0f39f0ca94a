/** Proves that records survive a failover by Sentinel, and that Redis may require TLS and an ACL user. */
import { fileURLToPath } from 'node:url';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisSentinel } from '@mcp-oauth/shared/testing/redis';
import { beforeEach, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/storage/record-store.ts';
import { createRedisStore } from '../../src/storage/redis.ts';

const log = createLogger('test', 'silent');
const open = (url: string, caFile?: string) =>
  createRedisStore(openRedis({ target: redisUrl().parse(url), name: 'test', log, caFile }));

beforeEach((context) => context.skip(!hasRedis, NEEDS_REDIS));

it('Sentinel promotes a replica when the primary dies, and the records are kept', async () => {
  await using redis = await startRedisSentinel();
  const store = await open(redis.url);
  await store.put('Sample', 'one', { kept: true }, { ttl: 60 });
  await redis.killPrimary();
  // Until the replica is promoted, every command fails at once, and the client retries it.
  const afterwards = await retried(() => store.get('Sample', 'one'));
  expect(afterwards?.value).toEqual({ kept: true });
  expect(await retried(() => store.consume('Sample', 'one'))).toBe(true);
  expect(await store.consume('Sample', 'one')).toBe(false);
  await store.close();
});

it('an ACL user needs only the keys of auth-server', async () => {
  await using redis = await startRedis(
    '--user',
    'auth',
    'on',
    '>secret',
    '~as:v1:*',
    '+@all',
    '--user',
    'default',
    'off',
  );
  const store = await open(redis.url.replace('redis://', 'redis://auth:secret@'));
  await store.put('Sample', 'one', { kept: true }, { ttl: 60, alias: 'uno' });
  expect((await store.getByAlias('Sample', 'uno'))?.value).toEqual({ kept: true });
  expect(await store.take('Sample', 'one')).toBeDefined();
  await store.close();
});

it('RFC 8446 a Redis with TLS is trusted by its certificate authority, and by no other', async () => {
  const file = (name: string) => fileURLToPath(new URL(`../support/certificate/${name}.pem`, import.meta.url));
  const authority = file('certificate');
  const tls = ['--tls-cert-file', authority, '--tls-key-file', file('key'), '--tls-ca-cert-file', authority];
  await using redis = await startRedis('--port', '0', '--tls-port', 'PORT', '--tls-auth-clients', 'no', ...tls);
  const url = redis.url.replace('redis://', 'rediss://');
  const store = await open(url, authority);
  await store.put('Sample', 'one', { kept: true }, { ttl: 60 });
  expect((await store.get('Sample', 'one'))?.value).toEqual({ kept: true });
  await store.close();
  const stranger = openRedis({ target: redisUrl().parse(url), name: 'test', log });
  await expect(whenReady(stranger, 1_000)).rejects.toThrow();
  stranger.disconnect();
});

it('a hanging Redis fails soon enough for a person, and is used again when it responds', async () => {
  await using redis = await startRedis();
  const store = await open(redis.url);
  await store.put('Sample', 'one', { kept: true }, { ttl: 60 });
  redis.signal('SIGSTOP');
  await expect(store.get('Sample', 'one')).rejects.toThrow(StoreUnavailable);
  redis.signal('SIGCONT');
  expect((await retried(() => store.get('Sample', 'one')))?.value).toEqual({ kept: true });
  await store.close();
});

async function retried<T>(run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
