/** Proves that the bus on Redis survives a connection that is lost while it subscribes, and messages that are none. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, tell } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import { createRedisBus } from '../../../src/storage/redis/message-bus.ts';

const log = createLogger('test', 'fatal');

/** An address in front of Redis that closes the next connections as soon as they subscribe. */
async function closingOnSubscribe(target: number) {
  const sockets = new Set<Socket>();
  let left = 0;
  let closed = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.on('data', (data) => {
      if (left === 0 || !data.toString().includes('subscribe')) return far.write(data);
      left -= 1;
      closed += 1;
      return near.destroy();
    });
    far.pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    get closed() {
      return closed;
    },
    /** Closes all connections now, and the next `count` when they subscribe. */
    close: (count: number) => {
      left = count;
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe.skipIf(!hasRedis)(hasRedis ? 'the message bus on Redis' : NEEDS_REDIS, () => {
  it('a connection that is lost again while it subscribes ends no process, and the next one receives messages', async () => {
    const redis = await startRedis();
    const address = await closingOnSubscribe(redis.ports[0] ?? 0);
    const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    const through = redisUrl().parse(`redis://127.0.0.1:${address.port}`);
    const listener = openRedis({ target: through, name: 'test', log });
    listener.on('error', () => {});
    await Promise.all([whenReady(client), whenReady(listener)]);
    const bus = await createRedisBus({ replica: 'one', redis: client, listener, log });
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);

    const returned = new Promise<void>((resolve) => bus.subscribe(() => {}, resolve));
    address.close(3);
    await returned;

    expect(address.closed).toBe(3);
    expect(unhandled).toEqual([]);
    expect(await bus.isListening('one')).toBe(true);
    process.off('unhandledRejection', note);
    await bus.close();
    client.disconnect();
    address.stop();
    await redis[Symbol.asyncDispose]();
  });

  it('a message that is not of this version ends no process, is logged once, and the next message is received', async () => {
    const redis = await startRedis();
    const lines: string[] = [];
    const heard = createLogger('test', 'warn', { write: (line: string) => void lines.push(line) });
    const open = () => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    const [client, listener] = [open(), open()];
    await Promise.all([whenReady(client), whenReady(listener)]);
    const bus = await createRedisBus({ replica: 'one', redis: client, listener, log: heard });
    const thrown: unknown[] = [];
    const note = (error: unknown) => thrown.push(error);
    process.on('uncaughtException', note);

    const last = { kind: 'ended', session: 'last' } as const;
    const received = new Promise<void>((resolve) => {
      bus.subscribe(
        (message) => {
          if (message.kind !== 'ended') throw new TypeError('there is no message of this kind');
          resolve();
        },
        () => {},
      );
    });
    const unknown = JSON.stringify({ from: 'two', message: { kind: 'of-a-newer-version' } });
    for (const text of ['', 'no JSON', 'null', '1', '[]', '{}', '{"message":1}', '{"ping":1}', unknown])
      await client.publish('mcp:v1:replicas', text);
    await client.publish('mcp:v1:replicas', JSON.stringify({ from: 'two', message: last }));
    await received;

    expect(thrown).toEqual([]);
    expect(lines).toHaveLength(1);
    process.off('uncaughtException', note);
    await bus.close();
    client.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  it('a Redis that refuses to subscribe once is asked again without a new connection', async () => {
    await using redis = await startRedis();
    const open = () => openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    const [client, listener] = [open(), open()];
    await Promise.all([whenReady(client), whenReady(listener)]);
    const bus = await createRedisBus({ replica: 'one', redis: client, listener, log });
    const returned = new Promise<void>((resolve) => bus.subscribe(() => {}, resolve));
    await tell(redis, 'ACL', 'SETUSER', 'default', '-subscribe');
    await tell(redis, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
    await expect.poll(() => tell(redis, 'INFO', 'commandstats')).toMatch(/cmdstat_subscribe:.*rejected_calls=[1-9]/);
    await tell(redis, 'ACL', 'SETUSER', 'default', '+subscribe');
    await returned;
    expect(await bus.isListening('one')).toBe(true);
    await bus.close();
    client.disconnect();
  });
});
