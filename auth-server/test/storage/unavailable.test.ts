/**
 * Proves what happens while the store is unavailable: a short wait, retryable answers, unchanged public documents, and
 * recovery.
 */
import { setImmediate } from 'node:timers/promises';
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StoreUnavailable } from '../../src/storage/record-store.ts';
import { createRedisStore } from '../../src/storage/redis.ts';
import { authorizePath, refresh, register, tokensFor } from '../support/client.ts';
import { json, type RunningServer, startServer } from '../support/running-server.ts';

let redis: TestRedis;
let server: RunningServer | undefined;
let client: ReturnType<typeof openRedis>;

beforeEach(async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  redis = await startRedis();
  client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log: createLogger('test', 'silent') });
});
const start = async (patience?: number): Promise<RunningServer> => {
  const started = await startServer({ store: await createRedisStore(client, patience) });
  server = started;
  return started;
};
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
  client?.disconnect();
  await redis?.[Symbol.asyncDispose]();
});

it('RFC 9110 §15.6.4 an outage of Redis is 503 with Retry-After, documents and keys stay available, and all recovers', async () => {
  const server = await start(50);
  const app = await register(server);
  const tokens = await tokensFor(server, app);
  await redis.kill();

  const refused = await refresh(server, app, tokens.refresh_token);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
  expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' });
  expect((await server.fetch('/register', json({ redirect_uris: ['https://app.example/cb'] }))).status).toBe(503);
  const page = await server.fetch(authorizePath(app), { headers: { accept: 'text/html' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
  for (const path of [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/jwks',
    '/livez',
  ]) {
    expect((await server.fetch(path)).status, path).toBe(200);
  }

  await redis.start();
  await whenReady(client);
  const answer = await refresh(server, app, tokens.refresh_token);
  expect(answer.status, 'the refresh that failed has cost nothing').toBe(200);
});

it('a restart of Redis costs nobody their sign-in: requests wait, and are done once', async () => {
  const server = await start(15_000);
  const app = await register(server);
  const [first, second] = [await tokensFor(server, app), await tokensFor(server, app)];
  await redis.kill();
  const waiting = [first, first, second].map(({ refresh_token }) => refresh(server, app, refresh_token));
  const page = server.fetch(authorizePath(app), { headers: { accept: 'text/html' } });
  await redis.start();
  const answers = await Promise.all(waiting);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  const tokens = (await Promise.all(answers.map((answer) => answer.json()))) as { refresh_token: string }[];
  expect(new Set(tokens.map((token) => token.refresh_token)).size).toBe(2);
  expect((await page).status).toBe(303);
});

it('a read that was sent is repeated after an outage, a write never', async () => {
  const store = await createRedisStore(client, 15_000);
  await store.put('Sample', 'one', { kept: true }, { ttl: 60, alias: 'uno' });
  redis.signal('SIGSTOP');
  const reads = [store.get('Sample', 'one'), store.getByAlias('Sample', 'uno')];
  const consumed = store.consume('Sample', 'one');
  await expect(consumed).rejects.toThrow(StoreUnavailable);
  redis.signal('SIGCONT');
  expect((await Promise.all(reads)).map((record) => record?.value)).toEqual([{ kept: true }, { kept: true }]);
});

it('a write that comes while Redis is silent is not sent before the ones on their way are answered, and is done afterwards', async () => {
  const store = await createRedisStore(client, 15_000);
  const ids = Array.from({ length: 40 }, (_, n) => `number ${n}`);
  await Promise.all(ids.map((id) => store.put('Sample', id, {}, { ttl: 60 })));
  redis.signal('SIGSTOP');
  const onTheirWay = store.consume('Sample', 'number 0');
  await setImmediate();
  const later = Promise.allSettled(ids.slice(1).map((id) => store.consume('Sample', id)));
  await expect(onTheirWay).rejects.toThrow(StoreUnavailable);
  redis.signal('SIGCONT');
  expect(await later).toEqual(ids.slice(1).map(() => ({ status: 'fulfilled', value: true })));
});

it('a closed store fails at once', async () => {
  const store = await createRedisStore(client, 60_000);
  await store.close();
  await expect(store.get('Sample', 'one')).rejects.toThrow(StoreUnavailable);
});

it('a bug in the adapter stays what it is, and is no outage', async () => {
  const store = await createRedisStore(client, 50);
  await expect(store.put('Sample', 'one', { count: 1n }, { ttl: 60 })).rejects.toThrow(TypeError);
  await client.hset('as:v1:Sample:broken', 'value', '{');
  await expect(store.get('Sample', 'broken')).rejects.toThrow(SyntaxError);
  await client.set('as:v1:Sample:text', 'no hash');
  await expect(store.get('Sample', 'text')).rejects.toThrow(/^WRONGTYPE/);
  await client.call('CONFIG', 'SET', 'maxmemory', '1');
  await expect(store.put('Sample', 'one', {}, { ttl: 60 }), 'OOM is an outage').rejects.toThrow(StoreUnavailable);
});

it('a request that meets a bug of the adapter gets 500, and the log has the error', async () => {
  const server = await start();
  const app = await register(server);
  await client.set(`as:v1:Client:${app.id}`, 'no hash');
  const answer = await server.fetch(authorizePath(app), { headers: { accept: 'text/html' } });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([500, null]);
  expect(server.log).toContainEqual(expect.objectContaining({ level: 'error', msg: 'engine failed' }));
});
