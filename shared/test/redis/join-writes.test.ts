/** Proves that the commands of one turn reach Redis in one write, in their order, also after a lost connection and on a Cluster. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, startRedisCluster } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';

const log = createLogger('test', 'silent');

async function open(url: string): Promise<RedisClient> {
  const client = openRedis({ target: redisUrl().parse(url), name: 'test', log });
  await once(client, 'ready');
  return client;
}

/** Stands before a Redis and keeps what each write brings. */
async function watched(url: string) {
  const { port } = new URL(url);
  const writes: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(port), '127.0.0.1');
    socket.on('data', (data) => writes.push(String(data)));
    socket.pipe(onward).pipe(socket);
    for (const one of [socket, onward]) open.add(one.on('error', () => {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    /** Closes the connections. */
    cut: () => {
      for (const one of open) one.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of open) one.destroy();
      server.close();
    },
  };
}

const numbers = Array.from({ length: 30 }, (_, n) => String(n));
const count = (client: RedisClient) => Promise.all(numbers.map((number) => client.append('numbers', `${number},`)));

describe.skipIf(!hasRedis)(`the commands of one turn ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  it('commands reach Redis in one write and in their order, also on a new connection', async () => {
    await using redis = await startRedis();
    await using between = await watched(redis.url);
    const client = await open(between.url);
    for (const round of [1, 2]) {
      between.writes.length = 0;
      await count(client);
      expect(between.writes.filter((text) => text.includes('append'))).toHaveLength(1);
      expect(await client.get('numbers')).toBe(`${numbers.join()},`.repeat(round));
      between.cut();
      await once(client, 'ready');
    }
    client.disconnect();
  });

  it('commands that wait to be sent fail when their connection is lost, and none of them is sent later', async () => {
    await using redis = await startRedis();
    await using between = await watched(redis.url);
    const client = await open(between.url);
    const sent = count(client);
    (client as { stream?: Socket }).stream?.destroy();
    await expect(sent).rejects.toThrow();
    await once(client, 'ready');
    expect(await client.get('numbers')).toBeNull();
    client.disconnect();
  });

  it('each command of a Cluster gets its own answer, from whatever node', async () => {
    await using cluster = await startRedisCluster();
    const client = await open(cluster.url);
    await Promise.all(numbers.map((number) => client.set(`key ${number}`, number)));
    expect(await Promise.all(numbers.map((number) => client.get(`key ${number}`)))).toEqual(numbers);
    client.disconnect();
  });
});
