/**
 * Proves that every reference which a person can quote is found in the output of `npm start`: the reference on each
 * kind of error page, and the request id of each kind of refusal, of both services.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderOf, toolFile } from '../../mcp-server/test/support/definition-folder.ts';
import { McpSession, OAuthClient, send } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

const folder = folderOf({
  'boom.tool.ts': toolFile('boom').replace('return { text: words }', "throw new Error('a fault of the tool')"),
});

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ TOOLS_DIR: folder.path });
});
afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Waits for a line of the log. */
async function lineWith(text: string): Promise<string> {
  await stack.run.says(text);
  return stack.run.output.split('\n').find((line) => line.includes(text)) ?? '';
}

describe('the reference on a page', () => {
  const asked = '/authorize?client_id=nobody&response_type=code&redirect_uri=https%3A%2F%2Fa.example%2F&state=s';
  it.each([
    ['a request of an unknown app', 'GET', asked],
    ['a request without parameters', 'GET', '/authorize'],
    ['an unknown path', 'GET', '/nowhere'],
    ['an unknown sign-in', 'GET', '/interaction/none'],
    ['the finish of an unknown sign-in', 'GET', '/interaction/none/finish'],
    ['an answer of an identity provider that was not asked', 'GET', '/callback/development?code=c&state=s'],
    ['an approval out of nothing', 'POST', '/interaction/none/approve'],
  ])('the reference on a page for %s is in the log', async (_, method, path) => {
    const { text, headers } = await send(`${stack.authUrl}${path}`, {
      method,
      headers: {
        accept: 'text/html',
        ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
    });
    const [, reference] = /<code>([0-9a-f-]{36})<\/code>/.exec(text) ?? [];
    expect(reference).toBe(headers.get('x-request-id'));
    expect(await lineWith(reference ?? 'none')).toMatch(/^\S*auth-server\S* +│/);
  });
});

describe('the X-Request-Id of a refusal', () => {
  it.each<[string, () => string, RequestInit]>([
    ['without a token', () => `${stack.mcpUrl}/mcp`, { method: 'POST' }],
    ['with a bad token', () => `${stack.mcpUrl}/mcp`, { method: 'POST', headers: { authorization: 'Bearer x' } }],
    [
      'with an oversized header',
      () => `${stack.mcpUrl}/mcp`,
      { headers: { authorization: `Bearer ${'x'.repeat(50_000)}` } },
    ],
    ['for an unknown path', () => `${stack.mcpUrl}/nowhere`, {}],
    ['of a page of another origin', () => `${stack.mcpUrl}/mcp`, { headers: { origin: 'https://evil.example' } }],
    ['with an oversized header at auth-server', () => `${stack.authUrl}/token`, { headers: { x: 'x'.repeat(50_000) } }],
    [
      'to register',
      () => `${stack.authUrl}/register`,
      { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' },
    ],
    ['for a token', () => `${stack.authUrl}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'x' }) }],
  ])('the X-Request-Id of a refused request %s is in the log', async (_, url, init) => {
    const { status, headers } = await send(url(), init);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(await lineWith(headers.get('x-request-id') ?? 'none')).toMatch(/│ \d\d:\d\d:\d\d info {2}/);
  });
});

describe('the stack of a tool fault', () => {
  it('a stack is printed line by line, below the line with the reference that the caller was told', async () => {
    const { access_token: token } = await (await OAuthClient.register(stack)).tokens();
    const { json } = await (await McpSession.open(`${stack.mcpUrl}/mcp`, token)).call('boom', {});
    const [, reference = 'none'] = /reference (\w+)/.exec(JSON.stringify(json)) ?? [];
    expect(JSON.stringify(json)).toContain(reference);
    await stack.run.says('boom.tool.ts:');
    const lines = stack.run.output.split('\n');
    const at = lines.findIndex((line) => line.includes(reference));
    expect(lines.slice(at, at + 3)).toEqual([
      expect.stringMatching(/mcp-server.*│ \d\d:\d\d:\d\d error request failed .*tool=boom/),
      expect.stringMatching(/mcp-server.*│ {5}Error: a fault of the tool$/),
      expect.stringMatching(/mcp-server.*│ {9}at .*boom\.tool\.ts:\d+/),
    ]);
  });
});
