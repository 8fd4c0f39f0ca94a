/** Owns the proof that HTTP+SSE works over several replicas, and that a client learns at once when its stream is gone (MCP 2024-11-05). */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frames } from '../../mcp-server/test/protocol/harness.ts';
import { type Fleet, startFleet } from './fleet.ts';

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'raw', version: '0' } },
};

describe.skipIf(!hasRedis)(hasRedis ? 'HTTP+SSE across replicas' : NEEDS_REDIS, () => {
  let fleet: Fleet;
  let authorization: string;
  beforeAll(async () => {
    fleet = await startFleet(2);
    authorization = `Bearer ${await fleet.token('ada')}`;
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  const at = (replica: number, path: string): string => `http://localhost:${fleet.replicas[replica]?.port}${path}`;
  const post = (replica: number, path: string, message: object) =>
    fetch(at(replica, path), {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(message),
    });

  it('MCP 2024-11-05 "HTTP with SSE" a message is taken by any replica, and 404 once the stream is nobody’s', async () => {
    const stream = frames(await fetch(at(0, '/sse'), { headers: { authorization, accept: 'text/event-stream' } }));
    const { data: path } = (await stream.next()).value as { data: string };
    expect((await post(1, path, initialize)).status).toBe(202);
    const answer = JSON.parse(((await stream.next()).value as { data: string }).data);
    expect(answer).toMatchObject({ id: 1, result: { protocolVersion: '2024-11-05' } });
    await fleet.replicas[0]?.run.stop('SIGKILL');
    await expect(stream.next()).rejects.toThrow();
    const ping = { jsonrpc: '2.0', id: 2, method: 'ping' };
    expect((await post(1, path, ping)).status).toBe(404);
    expect((await post(1, path, ping)).status).toBe(404);
  });
});
