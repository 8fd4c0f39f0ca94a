/**
 * Proves that a client of OAuth 2.1, which sends fewer parameters than one of OAuth 2.0, gets its tokens from real
 * processes.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { McpSession, OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const exchange = (client: OAuthClient, code: string, parameters: Record<string, string> = {}) =>
  client.token({ grant_type: 'authorization_code', code, code_verifier: client.verifier, ...parameters });

it('OAuth 2.1 §10.2: a code exchange without redirect_uri yields tokens that call a tool and refresh', async () => {
  const client = await OAuthClient.register(stack);
  const { status, json } = await exchange(client, await client.code({ state: undefined }));
  expect(status).toBe(200);
  const session = await McpSession.open(`${stack.mcpUrl}/mcp`, String(json.access_token));
  expect((await session.call('echo', { message: 'without redirect_uri' })).text).toContain('without redirect_uri');
  expect((await client.refresh(String(json.refresh_token))).status).toBe(200);
});

it('RFC 6749 §4.1.3: a code exchange with another redirect_uri is refused, and spends the code', async () => {
  const client = await OAuthClient.register(stack, { redirect_uris: [REDIRECT_URI, `${REDIRECT_URI}/other`] });
  const code = await client.code();
  const elsewhere = await exchange(client, code, { redirect_uri: `${REDIRECT_URI}/other` });
  expect([elsewhere.status, elsewhere.json.error]).toEqual([400, 'invalid_grant']);
  expect((await exchange(client, code)).status).toBe(400);
});

it('RFC 7636 §4.6: a code exchange without redirect_uri needs the right verifier', async () => {
  const client = await OAuthClient.register(stack);
  const wrong = await exchange(client, await client.code(), { code_verifier: 'x'.repeat(43) });
  expect([wrong.status, wrong.json.error]).toEqual([400, 'invalid_grant']);
});
