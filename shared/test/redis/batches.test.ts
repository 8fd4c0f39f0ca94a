/** Proves that Redis gets the commands of one turn in one write, and no more until it has answered them: one server, and a Cluster. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, operatorOf, startRedis, startRedisCluster } from '@mcp-oauth/shared/testing/redis';
import type { Cluster, Redis } from 'ioredis';
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
  let onWrite = () => {};
  const cut = () => {
    for (const one of open) one.destroy();
  };
  const server = createServer((socket) => {
    const onward = connect(Number(port), '127.0.0.1');
    socket.on('data', (data) => {
      writes.push(String(data));
      onWrite();
    });
    socket.pipe(onward).pipe(socket);
    for (const one of [socket, onward]) open.add(one.on('error', () => {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    writes,
    /** Resolves at the next write. */
    written: () =>
      new Promise<void>((resolve) => {
        onWrite = resolve;
      }),
    /** Closes the connections. */
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      server.close();
    },
  };
}

const numbers = Array.from({ length: 30 }, (_, n) => String(n));
const appendAll = (client: RedisClient) => Promise.all(numbers.map((number) => client.append('numbers', `${number},`)));

describe.skipIf(!hasRedis)(`batches ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  it('the commands of one turn reach Redis in one write and in their order, also on a new connection', async () => {
    await using redis = await startRedis();
    await using between = await watched(redis.url);
    const client = await open(between.url);
    for (const round of [1, 2]) {
      between.writes.length = 0;
      await appendAll(client);
      expect(between.writes.filter((text) => text.includes('append'))).toHaveLength(1);
      expect(await client.get('numbers')).toBe(`${numbers.join()},`.repeat(round));
      between.cut();
      await once(client, 'ready');
    }
    client.disconnect();
  });

  it('commands that come before the answers are sent together after them', async () => {
    await using redis = await startRedis();
    await using between = await watched(redis.url);
    const client = await open(between.url);
    redis.signal('SIGSTOP');
    between.writes.length = 0;
    const written = between.written();
    const first = client.append('numbers', 'first,');
    await written;
    const later = appendAll(client);
    await setImmediate();
    expect(between.writes.filter((text) => text.includes('append'))).toHaveLength(1);
    redis.signal('SIGCONT');
    await Promise.all([first, later]);
    expect(between.writes.filter((text) => text.includes('append'))).toHaveLength(2);
    client.disconnect();
  });

  it('commands that wait fail when the connection is lost, and are not sent on the next one', async () => {
    await using redis = await startRedis();
    await using between = await watched(redis.url);
    const client = await open(between.url);
    const waiting = appendAll(client);
    (client as { stream?: Socket }).stream?.destroy();
    await expect(waiting).rejects.toThrow("Stream isn't writeable");
    await once(client, 'ready');
    expect(await client.get('numbers')).toBeNull();
    client.disconnect();
  });

  it('a script that Redis has lost, an error and a transaction do not stop what follows', async () => {
    await using redis = await startRedis();
    const client = await open(redis.url);
    client.defineCommand('answerOne', { numberOfKeys: 0, lua: 'return 1' });
    const { answerOne } = client as unknown as { answerOne(): Promise<number> };
    const one = answerOne.bind(client);
    expect(await one()).toBe(1);
    await client.script('FLUSH');
    expect(await one()).toBe(1);
    await expect(client.call('NOCOMMAND')).rejects.toThrow('unknown command');
    const transaction = client.multi().append('numbers', 'a').append('numbers', 'b').exec();
    const [results, text] = await Promise.all([transaction, client.get('numbers')]);
    expect([results, text]).toEqual([
      [
        [null, 1],
        [null, 2],
      ],
      'ab',
    ]);
    client.disconnect();
  });

  it('a command whose slot of a Cluster moves follows it, and what was sent with it is not hit', async () => {
    await using cluster = await startRedisCluster();
    const client = await open(cluster.url);
    const nodes = cluster.ports.map((port) => operatorOf(`redis://127.0.0.1:${port}`));
    const [from, to, other] = nodes as [Redis, Redis, Redis];
    const [left, arrived] = [await from.call('CLUSTER', 'MYID'), await to.call('CLUSTER', 'MYID')] as [string, string];
    const [staying, moving] = await keysOf(from);
    const slot = String(await from.call('CLUSTER', 'KEYSLOT', moving));
    const appendBoth = () => Promise.all([client.append(moving, 'x'), client.append(staying, 'x')]);
    expect(await Promise.all([client.get(moving), client.get(staying)])).toEqual([null, null]);
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', left);
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', arrived);
    expect(await appendBoth()).toEqual([1, 1]);
    for (const node of [to, from, other]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', arrived);
    expect(await appendBoth()).toEqual([2, 2]);
    for (const one of [client, ...nodes]) one.disconnect();
  });

  it('a node of a Cluster gets no more commands until it has answered those on their way', async () => {
    await using cluster = await startRedisCluster();
    const client = (await open(cluster.url)) as Cluster;
    await Promise.all(numbers.map((number) => client.set(`key ${number}`, number)));
    const sent = () => client.nodes('master').map((node) => (node as { stream?: Socket }).stream?.bytesWritten);
    cluster.signal('SIGSTOP');
    const first = Promise.all(numbers.map((number) => client.get(`key ${number}`)));
    await setImmediate();
    const before = sent();
    const later = appendAll(client);
    await setImmediate();
    expect(sent()).toEqual(before);
    cluster.signal('SIGCONT');
    expect(await first).toEqual(numbers);
    await later;
    expect(await client.get('numbers')).toBe(`${numbers.join()},`);
    client.disconnect();
  });
});

/** Two keys of one node, in different slots. */
async function keysOf(node: Redis): Promise<readonly [string, string]> {
  const found: string[] = [];
  for (let n = 0; found.length < 2; n += 1) {
    const isHere = await node.exists(`key ${n}`).then(
      () => true,
      () => false,
    );
    if (isHere) found.push(`key ${n}`);
  }
  return found as unknown as readonly [string, string];
}
