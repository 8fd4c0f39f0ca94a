/** Proves how settings name a Redis: the password beside the URL, in each of the three forms, against real servers. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import { judgeRedis, redisSettings, redisTargetOf } from '@mcp-oauth/shared/redis/settings';
import type { RedisTarget } from '@mcp-oauth/shared/redis/target';
import { loadConfig } from '@mcp-oauth/shared/settings/config';
import {
  hasRedis,
  NEEDS_REDIS,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';

const target = (env: Record<string, string>) => redisTargetOf(loadConfig(redisSettings, env, judgeRedis));

describe('the settings of Redis', () => {
  it('the password is read from a file, so that the URL holds no secret', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'redis-settings-')), 'password');
    writeFileSync(file, 'p@ss:word/%\n');
    expect(target({ REDIS_URL: 'redis://auth-server@redis:6379/2', REDIS_PASSWORD_FILE: file })).toEqual({
      kind: 'server',
      nodes: [{ host: 'redis', port: 6379 }],
      tls: false,
      database: 2,
      username: 'auth-server',
      password: 'p@ss:word/%',
    });
  });

  it('a password is accepted without a user, and a user without a password', () => {
    expect(target({ REDIS_URL: 'redis://redis', REDIS_PASSWORD: 'x' })).toMatchObject({ password: 'x' });
    expect(target({ REDIS_URL: 'redis://one@redis' })).toMatchObject({ username: 'one' });
    expect(target({ REDIS_PASSWORD: 'x' })).toBeUndefined();
  });

  it('a password in the URL is taken literally, encoded or not', () => {
    expect(target({ REDIS_URL: 'redis://:a%40b@redis' })).toMatchObject({ password: 'a@b' });
    expect(target({ REDIS_URL: 'redis://:100%@redis' })).toMatchObject({ password: '100%' });
  });

  it('a start timeout that no timer can count is refused: the start would end at once', () => {
    const timeout = (REDIS_START_TIMEOUT: string) =>
      loadConfig(redisSettings, { REDIS_START_TIMEOUT }).redisStartTimeout;
    expect([timeout('off'), timeout('1d')]).toEqual([0, 86_400]);
    expect(() => timeout('30d')).toThrow(/^REDIS_START_TIMEOUT: expected [^\n]*\(from 1s to 1d\), or off/);
  });

  it('two passwords are refused, and neither is repeated', () => {
    expect(() => target({ REDIS_URL: 'redis://:hunter2@redis', REDIS_PASSWORD: 'hunter3' })).toThrow(
      /^REDIS_PASSWORD: is set although REDIS_URL has a password$/,
    );
  });

  it.each(['redis://redis:65536', 'redis://', 'redis://a,b', 'redis-sentinel://a', 'http://redis'])(
    'the URL %s is refused',
    (REDIS_URL) => {
      expect(() => target({ REDIS_URL })).toThrow(/^REDIS_URL: expected redis:\/\/[^\n]*$/);
    },
  );

  it.each([
    ['redis://redis.example.com', false],
    ['redis://8.8.8.8:6379', false],
    ['redis://[2001:db8::1]', false],
    ['redis-sentinel://sentinel,sentinel.example.com/records', false],
    ['redis-cluster://10.0.0.1,203.0.113.7', false],
    ['rediss://redis.example.com', true],
    ['rediss-cluster://redis.example.com', true],
    ['redis://redis', true],
    ['redis://redis.default.svc', true],
    ['redis://redis.corp.internal', true],
    ['redis://10.1.2.3', true],
    ['redis://[fd00::1]', true],
    ['redis://localhost', true],
  ])('CWE-319 the Redis URL %s is accepted in production: %s', (REDIS_URL, isTaken) => {
    const { redisTarget } = loadConfig(redisSettings, { REDIS_URL });
    const judged = judgeRedis({ redisTarget, environment: 'production' });
    expect(judged).toEqual(isTaken ? [] : [{ env: 'REDIS_URL', message: expect.stringMatching(/^must use TLS/) }]);
    expect(judgeRedis({ redisTarget, environment: 'development' })).toEqual([]);
  });

  it('a missing certificate authority file is named', () => {
    const parts = { target: target({ REDIS_URL: 'rediss://redis' }) as RedisTarget, name: 'test', log };
    expect(() => openRedis({ ...parts, caFile: '/nowhere/ca.pem' })).toThrow(
      "REDIS_CA_FILE: the file /nowhere/ca.pem can't be read (ENOENT)",
    );
  });
});

const log = createLogger('test', 'silent');

/** Creates the user on every node. */
async function addUser(client: RedisClient): Promise<void> {
  const nodes = 'nodes' in client ? client.nodes('master') : [client];
  await Promise.all(nodes.map((node) => node.call('ACL', 'SETUSER', 'auth-server', 'on', '>secret', '~*', '+@all')));
}

async function connected<T>(where: RedisTarget | undefined, use: (client: RedisClient) => Promise<T>): Promise<T> {
  if (!where) throw new Error('no target');
  const client = openRedis({ target: where, name: 'test', log });
  try {
    await whenReady(client, 10_000);
    return await use(client);
  } finally {
    client.disconnect();
  }
}

describe.skipIf(!hasRedis)(`REDIS_PASSWORD with a real Redis ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  it.each([
    ['a server', startRedis],
    ['Sentinel', startRedisSentinel],
    ['a Cluster', startRedisCluster],
  ])('the service authenticates as its user at %s', async (_, start) => {
    await using redis = await start();
    await connected(target({ REDIS_URL: redis.url }), addUser);
    const REDIS_URL = redis.url.replace('://', '://auth-server@');
    const who = (client: RedisClient) => client.call('ACL', 'WHOAMI');
    expect(await connected(target({ REDIS_URL, REDIS_PASSWORD: 'secret' }), who)).toBe('auth-server');
  });

  it('the connection timeout ends once Redis is connected: a command may take longer', async () => {
    await using redis = await startRedis();
    const client = openRedis({ target: target({ REDIS_URL: redis.url }) as RedisTarget, name: 'test', log });
    await whenReady(client, 1_000);
    expect(await client.blpop('nothing', 1.2)).toBeNull();
    client.disconnect();
  });
});
