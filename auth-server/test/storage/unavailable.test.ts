/** Owns what happens while the store can't be reached: retryable answers at once, public documents as ever, and recovery. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis, redisTarget, whenReady } from '@mcp-oauth/shared/redis';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createRedisStore } from '../../src/storage/redis.ts';
import { authorizePath, refresh, register, tokensFor } from '../client.ts';
import { json, type RunningServer, startServer } from '../running-server.ts';

let redis: TestRedis;
let server: RunningServer;
let client: ReturnType<typeof openRedis>;

beforeEach(async (context) => {
  context.skip(!hasRedis, NEEDS_REDIS);
  redis = await startRedis();
  client = openRedis({ target: redisTarget().parse(redis.url), name: 'test', log: createLogger('test', 'silent') });
  server = await startServer({ store: await createRedisStore(client) });
});
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

it('RFC 9110 §15.6.4 Redis down: 503 that can be tried again, documents and keys as ever, and afterwards all is well', async () => {
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
