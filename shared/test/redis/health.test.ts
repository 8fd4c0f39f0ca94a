/**
 * Proves that each state in which a real Redis takes no writes is noticed without traffic, that a connection is dropped
 * only when its node is the wrong one, and that the service recovers by itself.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { CLUSTER_TAGS, createRedisHealth } from '@mcp-oauth/shared/redis/health';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster } from '@mcp-oauth/shared/testing/redis';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

const log = createLogger('test', 'silent');

function open(url: string) {
  const health = createRedisHealth({ log, prefix: 'test:' });
  const connections = { made: 0 };
  const of = (name: string) => {
    const client = openRedis({ target: redisUrl().parse(url), name, log, health });
    client.on('connect', () => {
      connections.made += 1;
    });
    return client;
  };
  const [client, listener] = [of('test'), of('test-listener')];
  const close = async () => {
    for (const one of [client, listener]) one.disconnect();
  };
  return { client, listener, health, connections, [Symbol.asyncDispose]: close };
}

const became = (health: { readonly takesWrites: boolean }, wanted: boolean) =>
  vi.waitFor(() => expect(health.takesWrites).toBe(wanted), { timeout: 60_000, interval: 20 });

describe.skipIf(!hasRedis)(`a Redis that refuses writes ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  it.each([
    ['OOM', [['CONFIG', 'SET', 'maxmemory', '1']], [['CONFIG', 'SET', 'maxmemory', '0']]],
    ['NOREPLICAS', [['CONFIG', 'SET', 'min-replicas-to-write', '1']], [['CONFIG', 'SET', 'min-replicas-to-write', '0']]],
    ['NOPERM', [['ACL', 'SETUSER', 'default', '-set']], [['ACL', 'SETUSER', 'default', '+set']]],
  ])('%s: the connections stay open, and are used again when writes succeed', async (_, breaking, mending) => {
    await using redis = await startRedis();
    await using opened = open(redis.url);
    await opened.health.whenWritable(10_000);
    const operator = new Redis(redis.url);
    for (const [command = '', ...args] of breaking) await operator.call(command, ...args);
    await became(opened.health, false);
    expect(await opened.client.get('anything'), 'what needs no write goes on').toBeNull();
    for (const [command = '', ...args] of mending) await operator.call(command, ...args);
    operator.disconnect();
    await became(opened.health, true);
    expect(opened.connections.made).toBe(2);
  }); // biome-ignore format: one row each

  it('MISCONF: the connections recover when the full disk of Redis has room again', async () => {
    await using redis = await startRedis('--save', '1', '1', '--appendonly', 'no', '--enable-protected-configs', 'yes');
    await using opened = open(redis.url);
    await opened.health.whenWritable(10_000);
    const operator = new Redis(redis.url);
    // The folder of its file becomes one that cannot be written.
    const [, folder] = (await operator.config('GET', 'dir')) as string[];
    await operator.config('SET', 'dir', '/proc');
    await operator.bgsave().catch(() => {});
    await became(opened.health, false);
    await operator.config('SET', 'dir', folder ?? '');
    await vi.waitFor(
      async () => {
        await operator.bgsave();
        expect(await operator.info('persistence')).toContain('rdb_last_bgsave_status:ok');
      },
      { timeout: 60_000 },
    );
    operator.disconnect();
    await became(opened.health, true);
    expect(opened.connections.made).toBe(2);
  });

  it.each([
    ['READONLY', 'yes'],
    ['MASTERDOWN', 'no'],
  ])('%s: every connection is replaced until the address leads to a primary', async (code, stale) => {
    await using redis = await startRedis('--replica-serve-stale-data', stale);
    await using opened = open(redis.url);
    await opened.health.whenWritable(10_000);
    const operator = new Redis(redis.url);
    await operator.call('REPLICAOF', '127.0.0.1', '1');
    await became(opened.health, false);
    await expect(opened.client.set('one', '1')).rejects.toThrow(new RegExp(`${code}|writeable|closed`));
    await vi.waitFor(() => expect(opened.connections.made).toBeGreaterThanOrEqual(6), { timeout: 60_000 });
    expect(opened.connections.made, 'with growing pauses').toBeLessThan(30);
    await operator.call('REPLICAOF', 'NO', 'ONE');
    operator.disconnect();
    await became(opened.health, true);
  });

  it('READONLY is recognized inside a script, a transaction and a pipeline', async () => {
    await using redis = await startRedis();
    for (const run of [
      (client: Redis) => client.eval("return redis.call('SET', KEYS[1], '1')", 1, 'one'),
      (client: Redis) => client.multi().set('one', '1').exec(),
      (client: Redis) => client.pipeline().set('one', '1').set('two', '2').exec(),
    ]) {
      // Redis writes nothing by itself here, so every write is from the command.
      const health = createRedisHealth({ log });
      const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log, health }) as Redis;
      await health.whenWritable(10_000);
      const operator = new Redis(redis.url);
      await operator.call('REPLICAOF', '127.0.0.1', '1');
      const again = once(client, 'reconnecting');
      await run(client).catch(() => {});
      await again;
      await operator.call('REPLICAOF', 'NO', 'ONE');
      operator.disconnect();
      await became(health, true);
      client.disconnect();
    }
  });

  it('UNBLOCKED: a blocking read that a demotion ends has its connection replaced', async () => {
    await using redis = await startRedis();
    await using opened = open(redis.url);
    await opened.health.whenWritable(10_000);
    const blocked = opened.client.blpop('nothing', 0);
    const operator = new Redis(redis.url);
    const again = once(opened.listener, 'reconnecting');
    await expect.poll(() => operator.info('clients')).toContain('blocked_clients:1');
    await operator.call('REPLICAOF', '127.0.0.1', '1');
    await expect(blocked).rejects.toThrow('UNBLOCKED');
    await again;
    operator.disconnect();
  });

  it('CLUSTERDOWN: no write is taken while a part of the Cluster has no primary', async () => {
    await using redis = await startRedisCluster();
    await using opened = open(redis.url);
    await opened.health.whenWritable(10_000);
    const operator = new Redis({ port: redis.ports[0] ?? 0 });
    await operator.call('CLUSTER', 'DELSLOTS', '3');
    await became(opened.health, false);
    await operator.call('CLUSTER', 'ADDSLOTS', '3');
    operator.disconnect();
    await became(opened.health, true);
  });

  it("the check's writes cover every sixteenth of the slots of a Cluster", async () => {
    await using redis = await startRedisCluster();
    const operator = new Redis({ port: redis.ports[0] ?? 0 });
    const slots = await Promise.all(CLUSTER_TAGS.map((tag) => operator.cluster('KEYSLOT', `test:writable:{${tag}}`)));
    operator.disconnect();
    expect(slots.map((slot) => Math.floor(Number(slot) / 1024))).toEqual(CLUSTER_TAGS.map((_, n) => n));
  });

  it('a Cluster node configured as redis:// ends the start with the right URL', async () => {
    await using redis = await startRedisCluster();
    await using opened = open(`redis://127.0.0.1:${redis.ports[0]}`);
    await using other = open(`redis://127.0.0.1:${redis.ports[1]}`);
    const starts = [opened, other].map(({ health }) => health.whenWritable(10_000));
    const reasons = (await Promise.allSettled(starts)).flatMap((start) => ('reason' in start ? [`${start.reason}`] : []));
    expect(reasons).toContain('StartError: REDIS_URL: points at a node of a Redis Cluster: use redis-cluster:// instead of redis://');
  }); // biome-ignore format: one row
});

/** Speaks as much of the Redis protocol as a client needs to become ready; every SET gets `answer`. */
async function fakeRedis(answer: () => string) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const commands = chunk.toString().match(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g) ?? [];
      for (const command of commands) {
        const name = command.split('\r\n')[2]?.toLowerCase();
        if (name === 'info') socket.write('$11\r\nrole:master\r\n');
        else socket.write(name === 'set' ? answer() : '+OK\r\n');
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

it.each([
  ['-LOADING Redis is loading the dataset in memory\r\n', 'stays'],
  ['-BUSY Redis is busy running a script.\r\n', 'stays'],
  ['-UNBLOCKED force unblock\r\n', 'is made again'],
])('%j: the connection %s', async (refusal, what) => {
  let answer = '+OK\r\n';
  await using redis = await fakeRedis(() => answer);
  await using opened = open(`redis://127.0.0.1:${redis.port}`);
  await opened.health.whenWritable(10_000);
  answer = refusal;
  await became(opened.health, false);
  if (what === 'stays') expect(opened.connections.made).toBe(2);
  else await expect.poll(() => opened.connections.made).toBeGreaterThanOrEqual(4);
  answer = '+OK\r\n';
  await became(opened.health, true);
});
