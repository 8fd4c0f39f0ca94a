/** Proves that a session record that cannot be read costs its own requests alone: it is logged as a bug, and ends nothing. */
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis, tell } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stack } from '../support/stack.ts';

const CLIENT = { client_id: 'job', client_secret: 'secret-of-the-job', grant_types: ['client_credentials'] };
const PARAMS = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };

describe.skipIf(!hasRedis)(`a session record that cannot be read ${hasRedis ? '' : NEEDS_REDIS}`, () => {
  let redis: TestRedis;
  let stack: Stack;
  beforeAll(async () => {
    redis = await startRedis();
    stack = await Stack.start({ REDIS_URL: redis.url, CLIENTS: JSON.stringify([CLIENT]) });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await redis?.[Symbol.asyncDispose]();
  });

  it('MCP "Session Management" its request gets 500, other sessions and their streams continue', async () => {
    const response = await fetch(`${stack.authUrl}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${CLIENT.client_id}:${CLIENT.client_secret}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: `${stack.mcpUrl}/mcp` }),
    });
    const { access_token: token } = (await response.json()) as { access_token: string };
    const ask = (session: string | undefined, init: RequestInit) =>
      fetch(`${stack.mcpUrl}/mcp`, {
        ...init,
        headers: {
          authorization: `Bearer ${token}`,
          accept: init.method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
          'content-type': 'application/json',
          ...(session && { 'mcp-session-id': session, 'mcp-protocol-version': PARAMS.protocolVersion }),
        },
      });
    const post = (message: object, session?: string) =>
      ask(session, { method: 'POST', body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }) });
    const open = async () => (await post({ method: 'initialize', params: PARAMS })).headers.get('mcp-session-id') ?? '';
    const ping = async (session: string) => (await post({ method: 'ping' }, session)).status;

    const [sound, streaming] = [await open(), await open()];
    const leaving = new AbortController();
    const stream = await ask(streaming, { method: 'GET', signal: leaving.signal });
    expect(stream.status).toBe(200);
    await tell(redis, 'HSET', `mcp:v1:{${streaming}}`, 'owner', '{');
    await tell(redis, 'HSET', 'mcp:v1:{unread}', 'owner', '{', 'transport', 'streamable-http');

    expect(await ping('unread')).toBe(500);
    await stack.run.says('storage adapter failed');
    expect(stack.run.output).toMatch(/ error .*storage adapter failed/);
    expect(stack.run.output).toContain('SyntaxError');
    expect(await ping(sound)).toBe(200);
    expect(await ping(streaming)).toBe(200);
    expect((await fetch(`${stack.mcpUrl}/readyz`)).status).toBe(200);
    leaving.abort();
  });
});
