/** Proves how many sequential round trips to Redis a token request needs at most. */
import { type AddressInfo, connect, createServer } from 'node:net';
import { systemClock } from '@mcp-oauth/shared/clock';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis } from '@mcp-oauth/shared/testing/redis';
import { expect, it } from 'vitest';
import { createRedisDirectory } from '../../src/storage/directory/redis.ts';
import { createRedisStore } from '../../src/storage/redis.ts';
import { createRedisStatusStore } from '../../src/storage/status/redis.ts';
import { Browser } from '../support/browser.ts';
import { authorize, redeem, refresh, register, tokensFor } from '../support/client.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { startExchange, exchange as tokenExchange } from '../support/exchange.ts';
import { openPage } from '../support/page-visitor.ts';
import { MCP, read, startServer } from '../support/running-server.ts';
import { comeBackFrom, decide, startWithTools } from '../support/tools-connector.ts';
import { startWorkloads } from '../support/workloads.ts';

/**
 * A relay between the server and Redis. Commands that are sent together, or while an answer is pending, count as one
 * round trip.
 */
async function countingProxy(port: number) {
  let waits = 0;
  const proxy = createServer((client) => {
    const redis = connect(port, '127.0.0.1');
    let awaited = false;
    client.on('data', (commands) => {
      if (!awaited) waits += 1;
      awaited = true;
      redis.write(commands);
    });
    redis.on('data', (answers) => {
      awaited = false;
      client.write(answers);
    });
    client.on('error', () => redis.destroy()).on('close', () => redis.destroy());
    redis.on('error', () => client.destroy()).on('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    port: (proxy.address() as AddressInfo).port,
    during: async (run: () => Promise<{ readonly status: number }>) => {
      const before = waits;
      expect((await run()).status).toBe(200);
      return waits - before;
    },
    [Symbol.asyncDispose]: async () => {
      proxy.close();
    },
  };
}

async function startOn(port: number) {
  const target = redisUrl().parse(`redis://127.0.0.1:${port}`);
  const redisClient = openRedis({ target, name: 'test', log: createLogger('test', 'silent') });
  return {
    store: await createRedisStore(redisClient),
    statusStore: await createRedisStatusStore(redisClient),
    directory: createRedisDirectory(redisClient, systemClock),
  };
}

it('RFC 8693 an exchange for another MCP server waits for Redis at most three times', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  await using redis = await startRedis();
  await using proxy = await countingProxy(redis.ports[0] ?? 0);
  await using server = await startExchange(await startOn(proxy.port));
  const { access_token } = await tokensFor(server, await register(server));
  expect((await tokenExchange(server, access_token)).status, 'the first one reads the client').toBe(200);
  const waits = await proxy.during(() => tokenExchange(server, access_token));
  expect(waits).toBeGreaterThan(0);
  expect(waits).toBeLessThanOrEqual(3);
  process.stdout.write(`sequential waits on Redis: token exchange ${waits}\n`);
});

it('RFC 8693 an exchange for the token of an upstream waits for Redis at most four times', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  await using redis = await startRedis();
  await using proxy = await countingProxy(redis.ports[0] ?? 0);
  await using at = await startWithTools(await startOn(proxy.port));
  const client = await register(at.server);
  const { code } = await authorize(at.server, client, { scope: 'mcp:tools', resource: MCP }, { person: 'alice' });
  const { access_token } = await read(await redeem(at.server, client, code));
  const upstream = { resource: undefined, audience: 'github' };
  const { interaction_uri } = await read(await tokenExchange(at.server, access_token, upstream));
  const [browser, link] = [new Browser(at.server), String(interaction_uri)];
  const { outside } = await decide(browser, link, await openPage(browser, link, 'alice'));
  await comeBackFrom(browser, outside, { code: 'octocat' });
  const waits = await proxy.during(() => tokenExchange(at.server, access_token, upstream));
  expect(waits).toBeLessThanOrEqual(4);
  process.stdout.write(`sequential waits on Redis: exchange for an upstream ${waits}\n`);
});

it('RFC 7523 §2.1 the JWT of a workload waits for Redis at most twice', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  await using redis = await startRedis();
  await using proxy = await countingProxy(redis.ports[0] ?? 0);
  await using workloads = await startWorkloads({}, await startOn(proxy.port));
  const redeemed = async () => workloads.present(await workloads.jwt());
  expect((await redeemed()).status, 'the first one makes the status reference').toBe(200);
  const waits = await proxy.during(redeemed);
  expect(waits).toBeGreaterThan(0);
  expect(waits).toBeLessThanOrEqual(2);
  process.stdout.write(`sequential waits on Redis: JWT of a workload ${waits}\n`);
});

it('RFC 7523 §2.1 an ID-JAG waits for Redis at most six times', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  await using redis = await startRedis();
  await using proxy = await countingProxy(redis.ports[0] ?? 0);
  await using enterprise = await startEnterprise({}, await startOn(proxy.port));
  const redeemed = async () => enterprise.present(await enterprise.idJag());
  expect((await redeemed()).status, 'the first one makes the grant').toBe(200);
  const waits = await proxy.during(redeemed);
  expect(waits).toBeGreaterThan(0);
  expect(waits).toBeLessThanOrEqual(6);
  process.stdout.write(`sequential waits on Redis: ID-JAG ${waits}\n`);
});

it('a code exchange and a refresh each wait for Redis at most six times', async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  await using redis = await startRedis();
  await using proxy = await countingProxy(redis.ports[0] ?? 0);
  await using server = await startServer(await startOn(proxy.port));
  const client = await register(server);
  const { code } = await authorize(server, client);
  let answer: Response | undefined;
  const keep = async (response: Promise<Response>) => {
    answer = (await response).clone();
    return answer;
  };
  const exchange = await proxy.during(() => keep(redeem(server, client, code)));
  const { refresh_token } = await read(answer as Response);
  const refreshing = await proxy.during(() => refresh(server, client, refresh_token));
  for (const waits of [exchange, refreshing]) {
    expect(waits).toBeGreaterThan(2);
    expect(waits).toBeLessThanOrEqual(6);
  }
  process.stdout.write(`sequential waits on Redis: code exchange ${exchange}, refresh ${refreshing}\n`);
});
