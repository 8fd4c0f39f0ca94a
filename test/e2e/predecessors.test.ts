/**
 * Proves that none of the security holes of two earlier systems of this kind comes back: one test for each, by its
 * number (1.6 and 2.4). Real processes over real HTTP.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forger } from '../support/forge.ts';
import { initialize, McpSession, OAuthClient, postJson, REDIRECT_URI, send } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { openSse } from '../support/sse-stream.ts';
import { ROOT, Run, Stack } from '../support/stack.ts';
import { githubStub } from './github-stub.ts';
import { recordEnds } from './stored.ts';

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

async function firstPage(client: OAuthClient, person: Person, parameters: Record<string, string | undefined> = {}) {
  const page = await person.open(client.authorizationUrl(parameters), REDIRECT_URI);
  if (page instanceof URL) throw new Error(`no page came but ${page}`);
  return page;
}

describe('holes of predecessor 1', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start({ REGISTRATION_LIMIT: '100000', REFRESH_GRACE: '0s' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('1.6.1 many concurrent requests neither stop nor confuse the services', async () => {
    const client = await OAuthClient.register(stack);
    const { access_token } = await client.tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, access_token);
    const registered = Promise.all(Array.from({ length: 100 }, () => OAuthClient.register(stack)));
    const called = Promise.all(
      Array.from({ length: 100 }, (_, n) => session.call('sum', { a: n, b: 1 }, {}, `call-${n}`)),
    );
    expect(new Set((await registered).map(({ id }) => id)).size).toBe(100);
    for (const [n, { json }] of (await called).entries()) {
      expect(json).toMatchObject({ id: `call-${n}`, result: { structuredContent: { result: n + 1 } } });
    }
  });

  it('1.6.2 an unknown client and an unregistered redirect URI get a page, never a redirect', async () => {
    const client = await OAuthClient.register(stack);
    for (const wrong of [{ client_id: 'unknown' }, { redirect_uri: 'https://evil.example/' }]) {
      const { status, headers } = await new Person().request(client.authorizationUrl(wrong));
      expect([status, headers.get('location')]).toEqual([400, null]);
    }
  });

  it('1.6.3 the upstream state is bound to this browser, together with nonce and PKCE', async () => {
    const client = await OAuthClient.register(stack);
    const person = new Person();
    const page = await firstPage(client, person);
    const leaving = await person.press(page, /Continue with/, stack.idpUrl);
    const asked = leaving instanceof URL ? leaving.searchParams : new URLSearchParams();
    expect(asked.get('nonce')?.length).toBeGreaterThan(20);
    expect(asked.get('code_challenge_method')).toBe('S256');
    const forged = Buffer.from(`${client.id}|${REDIRECT_URI}|x|y|S256`).toString('base64url');
    for (const state of [forged, asked.get('state') ?? '']) {
      const { status } = await new Person().request(`${stack.authUrl}/callback/development?code=x&state=${state}`);
      expect(status).toBe(400);
    }
  });

  it('1.6.4 a client secret is verified', async () => {
    const { json } = await postJson(`${stack.authUrl}/register`, {
      redirect_uris: ['https://app.example/cb'],
      token_endpoint_auth_method: 'client_secret_post',
    });
    expect(json).toMatchObject({ client_secret: expect.any(String), client_secret_expires_at: 0 });
    const ask = (secret: Record<string, string>) =>
      send(`${stack.authUrl}/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: String(json.client_id),
          ...secret,
        }),
      });
    expect((await ask({ client_secret: 'wrong' })).json.error).toBe('invalid_client');
    expect((await ask({})).json.error).toBe('invalid_client');
    expect((await ask({ client_secret: String(json.client_secret) })).json.error).toBe('invalid_grant');
  });

  it('1.6.5 an upstream with a short token, no token, nonsense or no answer crashes nothing', async () => {
    await using upstream = await githubStub();
    await using own = await Stack.start(upstream.env);
    const client = await OAuthClient.register(own);
    const attempt = async () => {
      const person = new Person();
      const end = await person.press(await firstPage(client, person), /Continue with/, REDIRECT_URI);
      return end instanceof URL ? (end.searchParams.get('error') ?? 'code') : end.status;
    };
    expect(await attempt()).toBe('code');
    upstream.token = { access_token: 'x' };
    upstream.user = 'nonsense';
    expect(await attempt()).not.toBe('code');
    upstream.user = {};
    expect(await attempt()).not.toBe('code');
    for (const token of [{}, { error: 'bad_verification_code' }, undefined]) {
      upstream.token = token;
      expect(await attempt()).not.toBe('code');
    }
    upstream.token = { access_token: 'gho_sample', token_type: 'bearer' };
    upstream.user = { id: 1, login: 'alice' };
    expect(await attempt()).toBe('code');
  });

  it('1.6.6 an expired access token costs no more than a refresh', async () => {
    const client = await OAuthClient.register(stack);
    const { refresh_token } = await client.tokens();
    const { sign } = await forger(stack);
    const exp = Math.floor(Date.now() / 1000) - 60;
    const expired = await sign({ client_id: client.id, exp });
    for (const url of [`${stack.mcpUrl}/sse`, `${stack.mcpUrl}/mcp`]) {
      expect((await postJson(url, initialize(), { authorization: `Bearer ${expired}` })).status).toBe(401);
    }
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it('1.6.7 a code allows one attempt; replays of codes and refresh tokens end the family', async () => {
    const client = await OAuthClient.register(stack);
    const guessed = await client.code();
    expect((await client.redeem(guessed, { code_verifier: 'x'.repeat(43) })).json.error).toBe('invalid_grant');
    expect((await client.redeem(guessed)).json.error, 'no second guess').toBe('invalid_grant');

    const code = await client.code();
    const { json: fromCode } = await client.redeem(code);
    await client.redeem(code);
    expect((await client.refresh(String(fromCode.refresh_token))).json.error).toBe('invalid_grant');

    const { refresh_token } = await client.tokens();
    const { json: successor } = await client.refresh(refresh_token);
    await client.refresh(refresh_token);
    expect((await client.refresh(String(successor.refresh_token))).json.error).toBe('invalid_grant');
  });

  it('1.6.8 refreshing is limited: the grant keeps its lifetime, whatever is refreshed', async () => {
    // Visible in the expiry of the stored grant: every refresh needs it, and none prolongs it.
    const client = await OAuthClient.register(stack);
    const { refresh_token, access_token } = await client.tokens();
    const before = recordEnds(stack, 'Grant');
    const { json } = await client.refresh(refresh_token);
    await client.refresh(String(json.refresh_token));
    expect(recordEnds(stack, 'Grant')).toEqual(before);
    const [last = 0] = [...before.values()].sort((a, b) => b - a);
    expect(last).toBeLessThanOrEqual(claimsOf(access_token).iat + 90 * 86_400 + 60);
  });

  it('1.6.9 a token has the approved scopes, and they are enforced', async () => {
    const client = await OAuthClient.register(stack);
    const { access_token, scope } = await client.tokens({ scope: 'mcp:tools unknown' });
    expect([scope, claimsOf(access_token).scope]).toEqual(['mcp:tools', 'mcp:tools']);
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, access_token);
    expect((await session.call('server_status', {})).status).toBe(403);
  });

  it('1.6.10 audience, protected-resource metadata, keys, revocation and iss are implemented', async () => {
    const client = await OAuthClient.register(stack);
    const { access_token, refresh_token } = await client.tokens();
    expect(claimsOf(access_token).aud).toBe(`${stack.mcpUrl}/mcp`);
    const { json: resource } = await send(`${stack.mcpUrl}/.well-known/oauth-protected-resource/mcp`);
    expect(resource).toMatchObject({ resource: `${stack.mcpUrl}/mcp`, authorization_servers: [stack.authUrl] });
    const { json: server } = await send(`${stack.authUrl}/.well-known/oauth-authorization-server`);
    expect(server).toMatchObject({ issuer: stack.authUrl, authorization_response_iss_parameter_supported: true });
    expect((await send(String(server.jwks_uri))).json).toMatchObject({ keys: [{ kty: 'EC', alg: 'ES256' }] });
    const body = new URLSearchParams({ token: refresh_token, client_id: client.id });
    expect((await send(String(server.revocation_endpoint), { method: 'POST', body })).status).toBe(200);
    expect((await client.refresh(refresh_token)).json.error).toBe('invalid_grant');
  });

  it('1.6.11 errors are uncached JSON; pages cannot be framed; forms carry a token', async () => {
    const client = await OAuthClient.register(stack);
    const refused = await client.redeem('never');
    expect(refused.headers.get('content-type')).toContain('application/json');
    expect(refused.headers.get('cache-control')).toContain('no-store');
    const cors = await send(`${stack.authUrl}/register`, {
      method: 'OPTIONS',
      headers: { origin: 'http://localhost:6274', 'access-control-request-method': 'POST' },
    });
    expect(cors.headers.get('access-control-allow-origin')).toBe('*');
    const person = new Person();
    const page = await firstPage(client, person);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const action = /action="([^"]+\/approve)"/.exec(page.body)?.[1] ?? '';
    const body = new URLSearchParams({ connector: 'development' });
    const withoutToken = await person.request(new URL(action, page.url), { method: 'POST', body });
    expect(withoutToken.status).toBe(403);
  });

  it('1.6.12 a session answers only its owner, at both transports, and no foreign Origin', async () => {
    const mine = await (await OAuthClient.register(stack)).tokens();
    const theirs = await (await OAuthClient.register(stack)).tokens();
    const session = await McpSession.open(`${stack.mcpUrl}/mcp`, mine.access_token);
    const theft = { authorization: `Bearer ${theirs.access_token}` };
    expect((await session.call('whoami', {}, theft)).status).toBe(404);
    expect((await send(session.url, { method: 'DELETE', headers: { ...session.headers, ...theft } })).status).toBe(404);
    expect((await session.call('whoami', {}, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await session.call('whoami', {})).status).toBe(200);

    const stream = await openSse(stack, mine.access_token);
    const message = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect((await postJson(stream.endpoint, message, theft)).status).toBe(404);
    stream.close();
  });

  it('1.6.13 a redirect URI keeps its query, and no code, token or secret reaches the log', async () => {
    const redirectUri = `${REDIRECT_URI}?tenant=a&x=1`;
    const client = await OAuthClient.register(stack, { redirect_uris: [redirectUri] });
    const called = await new Person().signIn(
      client.authorizationUrl({ redirect_uri: redirectUri, state: 'a|b|c' }),
      REDIRECT_URI,
    );
    expect(Object.fromEntries(called.searchParams)).toMatchObject({ tenant: 'a', x: '1', state: 'a|b|c' });
    const code = called.searchParams.get('code') ?? '';
    const { json } = await client.redeem(code, { redirect_uri: redirectUri });
    for (const secret of [code, String(json.access_token), String(json.refresh_token), client.verifier]) {
      expect(secret.length).toBeGreaterThan(20);
      expect(stack.run.output).not.toContain(secret);
    }
  });

  it('1.6.14 a crash signs nobody out, and registrations are limited and expire', async () => {
    await using own = await Stack.start({ REGISTRATION_LIMIT: '3' });
    const client = await OAuthClient.register(own);
    const { refresh_token, access_token } = await client.tokens();
    await own.restart('SIGKILL');
    expect(
      (await postJson(`${own.mcpUrl}/mcp`, initialize(), { authorization: `Bearer ${access_token}` })).status,
    ).toBe(200);
    expect((await client.refresh(refresh_token)).status).toBe(200);
    await client.code();
    for (let n = 0; n < 3; n += 1) await OAuthClient.register(own);
    const { status, headers } = await postJson(`${own.authUrl}/register`, { redirect_uris: [REDIRECT_URI] });
    expect([status, Number(headers.get('retry-after')) > 0]).toEqual([429, true]);
    const ends = recordEnds(own, 'Client');
    expect(ends.size).toBe(4);
    // CLIENT_LIFETIME, and the five minutes for which a use does not extend it again.
    for (const end of ends.values()) expect(end).toBeLessThanOrEqual(Date.now() / 1000 + 90 * 86_400 + 300);
  });

  it('1.6.15 bodies have a size limit, with and without a Content-Length', async () => {
    const big = `a=${'x'.repeat(20_000_000)}`;
    const chunked = new Blob(['x'.repeat(200_000)]).stream();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const path of ['/token', '/register', '/revoke']) {
      expect((await send(stack.authUrl + path, { method: 'POST', headers, body: big })).status, path).toBe(413);
    }
    const streamed = await send(`${stack.authUrl}/token`, {
      method: 'POST',
      headers,
      body: chunked,
      duplex: 'half',
    } as RequestInit);
    expect([streamed.status, streamed.json.error]).toEqual([400, 'invalid_request']);
    expect((await send(`${stack.authUrl}/readyz`)).status).toBe(200);
  });
});

describe('holes of predecessor 2', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await Stack.start({ MAX_SESSIONS_PER_PRINCIPAL: '3' });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());
  const mcp = () => `${stack.mcpUrl}/mcp`;

  it('2.4.1 an invalid token is 401 with a challenge, for every method', async () => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      for (const path of ['/mcp', '/sse']) {
        const { status, headers } = await send(stack.mcpUrl + path, {
          method,
          headers: { authorization: 'Bearer invalid' },
        });
        expect([status, method]).toEqual([401, method]);
        expect(headers.get('www-authenticate')).toContain(
          `resource_metadata="${stack.mcpUrl}/.well-known/oauth-protected-resource${path}"`,
        );
      }
    }
  });

  it('2.4.2 every dependency has an exact version, so that the tested version is installed', async () => {
    for (const place of ['.', 'shared', 'auth-server', 'mcp-server', 'development-idp']) {
      const manifest = JSON.parse(readFileSync(new URL(`../../${place}/package.json`, import.meta.url), 'utf8'));
      for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
        expect(version, `${place}: ${name}`).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
      }
    }
    const { access_token } = await (await OAuthClient.register(stack)).tokens();
    expect((await (await McpSession.open(mcp(), access_token)).call('echo', { message: 'x' })).status).toBe(200);
  });

  it("2.4.3 concurrent sessions do not receive each other's answers", async () => {
    const { access_token } = await (await OAuthClient.register(stack)).tokens();
    const [one, two] = await Promise.all([McpSession.open(mcp(), access_token), McpSession.open(mcp(), access_token)]);
    const answers = await Promise.all([
      one.call('countdown', { from: 1 }, {}, 'same-id'),
      two.call('echo', { message: 'two' }, {}, 'same-id'),
    ]);
    expect(answers.map(({ text }) => text.includes('two'))).toEqual([false, true]);
  });

  it('2.4.4 the requested redirect URI is the one that is used', async () => {
    const second = 'http://127.0.0.1:33418/second';
    const client = await OAuthClient.register(stack, { redirect_uris: [REDIRECT_URI, second] });
    const called = await new Person().signIn(client.authorizationUrl({ redirect_uri: second }), second);
    expect(called.pathname).toBe('/second');
  });

  it('2.4.5 a code belongs to its client and its redirect URI', async () => {
    const mine = await OAuthClient.register(stack);
    const other = await OAuthClient.register(stack);
    const verifier = { code_verifier: mine.verifier };
    expect((await other.redeem(await mine.code(), verifier)).json.error).toBe('invalid_grant');
    const elsewhere = { redirect_uri: 'http://127.0.0.1:33418/other' };
    expect((await mine.redeem(await mine.code(), elsewhere)).json.error).toBe('invalid_grant');
    expect((await mine.redeem(await mine.code())).status).toBe(200);
  });

  it('2.4.6 refresh and revocation do what the metadata says', async () => {
    const client = await OAuthClient.register(stack);
    const { refresh_token } = await client.tokens();
    const { json } = await client.refresh(refresh_token);
    expect(json).toMatchObject({ token_type: 'Bearer', refresh_token: expect.any(String) });
    const stranger = await OAuthClient.register(stack);
    const revoke = (by: OAuthClient) =>
      send(`${stack.authUrl}/revoke`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: by.id, token: String(json.refresh_token) }),
      });
    await revoke(stranger);
    const again = await client.refresh(String(json.refresh_token));
    expect(again.status, 'a stranger revokes nothing').toBe(200);
    const last = new URLSearchParams({ client_id: client.id, token: String(again.json.refresh_token) });
    expect((await send(`${stack.authUrl}/revoke`, { method: 'POST', body: last })).status).toBe(200);
    expect((await client.refresh(String(again.json.refresh_token))).json.error).toBe('invalid_grant');
  });

  it('2.4.7 HTTP+SSE works: the stream names its endpoint and carries the answers', async () => {
    const { access_token } = await (await OAuthClient.register(stack)).tokens();
    const stream = await openSse(stack, access_token);
    const posted = await postJson(stream.endpoint, initialize('2024-11-05'), {
      authorization: `Bearer ${access_token}`,
    });
    expect([posted.status, posted.text]).toEqual([202, expect.any(String)]);
    expect(JSON.parse((await stream.next()).data)).toMatchObject({ id: 0, result: { protocolVersion: '2024-11-05' } });
    stream.close();
  });

  it.each(['constructor', '__proto__', 'toString', '../..', '%00'])(
    '2.4.8 the session id %s is unknown',
    async (id) => {
      const { access_token } = await (await OAuthClient.register(stack)).tokens();
      const headers = { authorization: `Bearer ${access_token}`, 'mcp-session-id': id };
      expect((await postJson(mcp(), { jsonrpc: '2.0', id: 1, method: 'ping' }, headers)).status).toBe(404);
    },
  );

  it('2.4.9 sessions belong to a person and are limited: a new one ends the longest idle one', async () => {
    const { access_token } = await (await OAuthClient.register(stack)).tokens({}, new Person(/Bob/));
    const sessions: McpSession[] = [];
    for (let n = 0; n < 4; n += 1) sessions.push(await McpSession.open(mcp(), access_token));
    const statuses = await Promise.all(sessions.map(async (session) => (await session.call('whoami', {})).status));
    expect(statuses).toEqual([404, 200, 200, 200]);
  });

  it('2.4.10 our own page precedes the upstream, every time, for a client that anybody can register', async () => {
    const person = new Person();
    const client = await OAuthClient.register(stack);
    await client.code({}, person);
    const page = await firstPage(await OAuthClient.register(stack, { client_name: 'Evil <b>app</b>' }), person);
    expect(page.url.origin).toBe(stack.authUrl);
    expect(page.body).toContain('Evil &lt;b&gt;app&lt;/b&gt;');
    expect(page.body).toContain('127.0.0.1');
  });

  it('2.4.11 exp is read in seconds: a minute late is too late', async () => {
    const { sign } = await forger(stack);
    const now = Math.floor(Date.now() / 1000);
    const open = (token: string) => postJson(mcp(), initialize(), { authorization: `Bearer ${token}` });
    expect((await open(await sign({ exp: now + 30 }))).status).toBe(200);
    expect((await open(await sign({ iat: now - 700, exp: now - 61 }))).status).toBe(401);
  });

  it('2.4.12 pending states expire, and an upstream error reaches the client', async () => {
    const client = await OAuthClient.register(stack);
    const person = new Person();
    const idp = await person.press(await firstPage(client, person), /Continue with/, REDIRECT_URI);
    if (idp instanceof URL) throw new Error('no upstream page came');
    const soon = Date.now() / 1000 + 16 * 60;
    for (const kind of ['Interaction', 'LoginState']) {
      const ends = recordEnds(stack, kind);
      expect(ends.size, kind).toBeGreaterThan(0);
      for (const end of ends.values()) expect(end).toBeLessThan(soon);
    }
    const end = await person.press(idp, /Cancel/, REDIRECT_URI);
    expect(end instanceof URL && end.searchParams.get('error')).toBe('access_denied');
  });

  it('2.4.13 bodies are not logged, hosts are checked, bad JSON is answered in JSON, and SIGTERM ends cleanly', async () => {
    await using own = await Stack.start({ LOG_LEVEL: 'debug' });
    const { access_token } = await (await OAuthClient.register(own)).tokens();
    const session = await McpSession.open(`${own.mcpUrl}/mcp`, access_token);
    expect((await session.call('echo', { message: 'canary-in-a-body' })).text).toContain('canary');
    expect((await session.post('{')).json).toMatchObject({ jsonrpc: '2.0', error: { code: -32700 } });
    const { code, output } = await own.run.stop('SIGTERM');
    expect(code).toBe(0);
    expect(output).not.toContain('canary');
    expect(output.match(/ stopped/g)).toHaveLength(3);
  });

  it('2.4.14 state is never stored in the source folder, wherever a service is started from', async () => {
    const [port] = await freePorts(1);
    const folder = `.data/test-${port}`;
    const env = { ISSUER: `http://localhost:${port}`, DATA_DIR: folder };
    const run = new Run(env, 'src/main.ts', 'auth-server');
    await run.says('"msg":"ready"');
    await run.stop();
    expect(existsSync(join(ROOT, folder, 'auth-server.sqlite'))).toBe(true);
    rmSync(join(ROOT, folder), { recursive: true });
    for (const place of ['auth-server', 'mcp-server', 'development-idp']) {
      expect(existsSync(join(ROOT, place, '.data'))).toBe(false);
    }
  });
});
