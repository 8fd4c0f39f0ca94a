/**
 * Proves how the services shut down: running requests may finish, streams end, new requests are refused, and promised
 * answers are sent.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { McpSession, OAuthClient } from '../support/oauth-client.ts';
import { openSse } from '../support/sse-stream.ts';
import { Stack } from '../support/stack.ts';

describe('SIGTERM', () => {
  let stack: Stack;
  beforeEach(async () => {
    stack = await Stack.start();
  });
  afterEach(() => stack[Symbol.asyncDispose]());

  it('SIGTERM lets a running call finish, ends streams, refuses new requests, and ends the process', async () => {
    const client = await OAuthClient.register(stack);
    const { access_token, refresh_token } = await client.tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, access_token);
    const stream = await openSse(stack, access_token);
    const streamEnded = stream.next().catch((error: Error) => error.message);

    const running = fetch(session.url, {
      method: 'POST',
      headers: {
        ...session.headers,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'countdown', arguments: { from: 2 }, _meta: { progressToken: 1 } },
      }),
    });
    // The headers of the stream have arrived, so the call is running.
    const answer = await running;
    const stopped = stack.run.stop('SIGTERM');
    expect(await answer.text()).toContain('Counted down from 2');
    expect(await streamEnded).toBe('the stream ended');
    expect((await stopped).code).toBe(0);

    await stack.restart();
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });
});
