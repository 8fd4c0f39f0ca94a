/**
 * Proves that an approval that ends at auth-server ends at mcp-server within seconds (Token Status List §8), with nothing but public
 * documents between them, and that nobody else notices. It prints how long it took.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OAuthClient } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({});
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const call = async (token: string) => {
  const answer = await fetch(`${stack.mcpUrl}/mcp`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1.0.0' } },
    }),
  });
  await answer.arrayBuffer();
  return answer;
};

it('RFC 7009 §2.1 a revoked approval is refused at mcp-server, and the approvals of others are not', async () => {
  const client = await OAuthClient.register(stack);
  const [ended, other] = [await client.tokens(), await client.tokens()];
  expect((await call(ended.access_token)).status).toBe(200);
  expect((await client.post('/revoke', { token: ended.refresh_token })).status).toBe(200);
  const since = performance.now();
  const others: number[] = [];
  let last = 0;
  await expect
    .poll(
      async () => {
        others.push((await call(other.access_token)).status);
        const { status } = await call(ended.access_token);
        if (status === 200) last = performance.now() - since;
        return status;
      },
      { interval: 100 },
    )
    .toBe(401);
  const refusal = await call(ended.access_token);
  expect(refusal.headers.get('www-authenticate')).toContain('invalid_token');
  const took = performance.now() - since;
  process.stdout.write(
    `last success ${Math.round(last)} ms after the revocation, refused after ${Math.round(took)} ms\n`,
  );
  expect(new Set(others)).toEqual(new Set([200]));
});
