/** Proves RFC 9126: an authorization request is pushed first, and yields one code. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { authorize, redeem, refresh, register, type TestClient, VERIFIER } from '../support/client.ts';
import { form, MCP, type RunningServer, read, startServer } from '../support/running-server.ts';

let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  server = await startServer();
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const push = (parameters: Record<string, string> = {}) =>
  server.fetch(
    '/par',
    form({
      client_id: client.id,
      redirect_uri: client.redirectUri,
      response_type: 'code',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'pushed',
      ...parameters,
    }),
  );
const authorizeWith = (requestUri: unknown) =>
  `/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(requestUri) })}`;

describe('RFC 9126 pushed authorization requests', () => {
  it('§2.2 a pushed request gets a request_uri that leads to a code, with the default scope and resource', async () => {
    const { json } = await pushed();
    expect(json).toMatchObject({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:/),
      expires_in: 60,
    });
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizeWith(json.request_uri));
    const { outside } = await browser.signIn(page, 'alice');
    expect(outside?.searchParams.get('state')).toBe('pushed');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(tokens).toMatchObject({ scope: 'mcp:tools', token_type: 'Bearer' });
  });

  it('§4 a pushed request yields one code of many concurrent requests', async () => {
    const browser = new Browser(server);
    await authorize(server, client, { resource: MCP }, { browser });
    const { json } = await pushed();
    const answers = await Promise.all(Array.from({ length: 6 }, () => browser.visit(authorizeWith(json.request_uri))));
    const codes = answers.filter((answer) => /[?&]code=/.test(answer.headers.get('location') ?? ''));
    expect(codes).toHaveLength(1);
    const late = await browser.visit(authorizeWith(json.request_uri));
    expect(late.headers.get('location') ?? '').not.toMatch(/[?&]code=/);
  });

  it('§4 a pushed request keeps the scope as sent, so that offline_access can be named at a refresh', async () => {
    const { request_uri } = await read(await push({ scope: 'mcp:tools offline_access nonsense' }));
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizeWith(request_uri));
    const { outside } = await browser.signIn(page, 'alice');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(tokens.scope).toBe('mcp:tools');
    const renewed = await refresh(server, client, tokens.refresh_token, { scope: 'mcp:tools offline_access' });
    expect(renewed.status).toBe(200);
  });

  it('§2.1 a pushed request needs PKCE, a registered redirect URI, and a resource and scope of this server', async () => {
    for (const [wrong, error] of [
      [{ code_challenge: '' }, 'invalid_request'],
      [{ redirect_uri: 'https://evil.example/callback' }, 'invalid_request'],
      [{ resource: 'https://other.example/mcp' }, 'invalid_target'],
      [{ scope: 'nonsense' }, 'invalid_scope'],
    ] as const) {
      const answer = await push(wrong);
      expect([answer.status, (await read(answer)).error]).toEqual([400, error]);
    }
  });
});

async function pushed() {
  const answer = await push();
  expect(answer.status).toBe(201);
  return { json: await read(answer) };
}
