/** Proves that a service starts although its connection to Redis is lost once, whichever command it sends at that moment. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

/** More than either service writes before it is ready. */
const MOST_WRITES = 14;

/** An address in front of Redis that forwards so many writes of a client, and then closes that connection, once. */
async function closingAfter(writes: number, target: number) {
  let seen = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const socket of [near, far])
      socket.on('error', () => {}).on('close', () => [near, far].map((one) => one.destroy()));
    far.pipe(near);
    near.on('data', (data) => {
      seen += 1;
      far.write(data);
      if (seen === writes) near.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as { port: number }).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

describe.skipIf(!hasRedis)(`a Redis whose connection is lost during a start ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it.each(['mcp-server', 'auth-server'])('%s becomes ready with the next connection', async (service) => {
    for (let writes = 1; writes <= MOST_WRITES; writes += 1) {
      await using address = await closingAfter(writes, redis.ports[0] ?? 0);
      const [own, other] = (await freePorts(2)).map((port) => `http://localhost:${port}`);
      const [PUBLIC_URL, ISSUER] = service === 'mcp-server' ? [own, other] : [other, own];
      const env = { REDIS_URL: address.url, PUBLIC_URL, ISSUER, DEVELOPMENT_IDP_URL: 'http://localhost:1' };
      const run = new Run(env, `${service}/src/main.ts`);
      await run.says('"msg":"ready"');
      const { code } = await run.stop();
      expect(code, `after ${writes} writes`).toBe(0);
    }
  });
});
