/** Proves what /authorize requires of a client and of a person, and where each request ends. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import {
  authorize,
  authorizePath,
  NATIVE,
  redeem,
  refresh,
  register,
  type TestClient,
  tokensFor,
  WEB,
} from '../support/client.ts';
import { form, ISSUER, type RunningServer, read, startServer } from '../support/running-server.ts';

let server: RunningServer;
let client: TestClient;
let browser: Browser;
beforeEach(async () => {
  server = await startServer();
  client = await register(server);
  browser = new Browser(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const subjectOf = (tokens: Record<string, unknown>): unknown =>
  JSON.parse(Buffer.from(String(tokens.access_token).split('.')[1] ?? '', 'base64url').toString()).sub;

describe('a sign-in', () => {
  it('RFC 6749 §4.1.2, RFC 9207 §2 a sign-in ends at the client with code, state and iss', async () => {
    const { answer } = await authorize(server, client);
    expect(answer.href).toMatch(/^https:\/\/app\.example\/callback\?/);
    expect(Object.fromEntries(answer.searchParams)).toEqual({
      code: expect.any(String),
      state: 'the-state',
      iss: ISSUER,
    });
  });

  it('a sign-in is one page and one interaction: sign-in and consent end together', async () => {
    const { page, hops } = await browser.follow(authorizePath(client));
    expect(hops).toEqual([expect.stringMatching(/^\/interaction\//)]);
    expect(page?.status).toBe(200);
    const back = await browser.signIn(page, 'alice');
    expect(back.hops).toEqual([
      expect.stringMatching(/^\/interaction\/[^/]+\/finish$/),
      expect.stringMatching(/^\/authorize\//),
      '/callback',
    ]);
  });

  it('RFC 6749 §4.1.2.1 a denied sign-in returns access_denied, state and iss', async () => {
    const { page } = await browser.follow(authorizePath(client));
    const { outside } = await browser.submit(page, 'deny');
    expect(outside?.searchParams.get('error')).toBe('access_denied');
    expect(outside?.searchParams.get('state')).toBe('the-state');
    expect(outside?.searchParams.get('iss')).toBe(ISSUER);
  });

  it('OpenID Connect Core §2 a sign-in with scope openid yields an ID token with the subject', async () => {
    const tokens = await tokensFor(server, client, { scope: 'openid mcp:tools', nonce: 'n' });
    const claims = JSON.parse(Buffer.from(String(tokens.id_token).split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ iss: ISSUER, aud: client.id, nonce: 'n', sub: subjectOf(tokens) });
  });

  it('OAuth 2.0 Form Post Response Mode §2 a sign-in may end in a form, whose one script our policy allows', async () => {
    const { page } = await browser.follow(authorizePath(client, { response_mode: 'form_post' }));
    const answer = (await browser.signIn(page, 'alice')).page;
    const text = (await answer?.text()) ?? '';
    const [, script = ''] = /<script>(.*?)<\/script>/s.exec(text) ?? [];
    const hash = createHash('sha256').update(script).digest('base64');
    expect(text).toContain(`action="${WEB}"`);
    expect(answer?.headers.get('content-security-policy')).toContain(`script-src 'report-sample' 'sha256-${hash}'`);
  });

  it('an interaction that another browser began is refused', async () => {
    const { hops } = await browser.follow(authorizePath(client));
    const stranger = await new Browser(server).visit(hops[0] ?? '');
    expect(stranger.status).toBe(400);
    expect(await stranger.text()).toContain('another browser');
  });
});

describe('a person with a session', () => {
  const again = (parameters = {}) => browser.follow(authorizePath(client, parameters));
  beforeEach(async () => {
    await authorize(server, client, { scope: 'mcp:tools' }, { browser });
  });

  it('a person sees no page again for the same client and scope', async () => {
    const { outside } = await again({ scope: 'mcp:tools' });
    const { code } = Object.fromEntries(outside?.searchParams ?? []);
    expect((await redeem(server, client, code ?? '')).status).toBe(200);
  });

  it('a person sees no page for fewer scopes, or for another name of the resource', async () => {
    const { page } = await again({ scope: 'mcp:tools mcp:admin' });
    await browser.submit(page, 'approve');
    expect((await again({ scope: 'mcp:admin' })).outside).toBeDefined();
    expect((await again({ scope: 'mcp:tools', resource: 'http://localhost:8080/sse' })).outside).toBeDefined();
  });

  it('a person is asked about a wider scope, without a new sign-in, and gets both scopes', async () => {
    const { page } = await again({ scope: 'mcp:tools mcp:admin' });
    const { outside } = await browser.submit(page, 'approve');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(tokens.scope).toBe('mcp:tools mcp:admin');
  });

  it('a person is asked about another client', async () => {
    const other = await register(server);
    expect((await browser.follow(authorizePath(other))).page?.status).toBe(200);
  });

  it('RFC 8252 §8.6 a person is always asked about a native client', async () => {
    const native = await register(server, NATIVE);
    await authorize(server, native, {}, { browser });
    const { page } = await browser.follow(authorizePath(native));
    expect(page?.status).toBe(200);
    const { outside } = await browser.submit(page, 'approve');
    expect(outside?.searchParams.get('code')).toBeTruthy();
  });

  it('OpenID Connect Core §3.1.2.1 a person is asked again for prompt=consent and prompt=login', async () => {
    const consent = await again({ prompt: 'consent' });
    expect(consent.page?.status).toBe(200);
    const login = await again({ prompt: 'login' });
    expect(login.page?.status).toBe(200);
    expect((await browser.signIn(login.page, 'alice')).outside?.searchParams.get('code')).toBeTruthy();
  });

  it('OpenID Connect Core §3.1.2.1 a person can choose another account for prompt=select_account', async () => {
    const { page } = await again({ prompt: 'select_account', scope: 'mcp:tools' });
    const text = await page?.clone().text();
    expect(text).toContain('alice@acme.example');
    expect(text).toContain('<details class="plain" open>');
    expect((await browser.submit(page, 'approve')).outside?.searchParams.get('code')).toBeTruthy();
    const other = await again({ prompt: 'select_account' });
    expect((await browser.signIn(other.page, 'bob')).outside?.searchParams.get('code')).toBeTruthy();
    const first = await new Browser(server).follow(authorizePath(client, { prompt: 'select_account consent login' }));
    const visitor = new Browser(server);
    const fresh = await visitor.follow(authorizePath(client, { prompt: 'select_account' }));
    expect([first.page?.status, fresh.page?.status]).toEqual([200, 200]);
    expect((await visitor.signIn(fresh.page, 'carol')).outside?.searchParams.get('code')).toBeTruthy();
    expect((await again({ prompt: 'none select_account' })).page?.status).toBe(400);
  });

  it('OpenID Connect Prompt Create §4 the metadata names the supported prompts', async () => {
    const metadata = await read(await server.fetch('/.well-known/openid-configuration'));
    expect(metadata.prompt_values_supported).toEqual(['none', 'login', 'consent', 'select_account']);
  });

  it('OpenID Connect Core §3.1.2.6 a person sees no page for prompt=none', async () => {
    const { outside } = await again({ prompt: 'none', scope: 'mcp:admin' });
    expect(outside?.searchParams.get('error')).toBe('consent_required');
    expect((await new Browser(server).follow(authorizePath(client, { prompt: 'none' }))).outside?.search).toContain(
      'error=login_required',
    );
  });

  it('a person can continue as somebody else, without a logout page and without scripts', async () => {
    const alice = await tokensFor(server, client);
    const { page } = await again({ prompt: 'consent' });
    const { outside } = await browser.signIn(page, 'bob');
    const bob = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(subjectOf(bob)).toBeTruthy();
    expect(subjectOf(bob)).not.toBe(subjectOf(alice));
    expect((await again()).outside).toBeDefined();
    expect((await refresh(server, client, alice.refresh_token)).status).toBe(200);
  });

  it('two people can sign in in two tabs that both began without a session', async () => {
    const tabs = new Browser(server);
    const first = await tabs.follow(authorizePath(client));
    const second = await tabs.follow(authorizePath(client));
    expect((await tabs.signIn(first.page, 'alice')).outside?.searchParams.get('code')).toBeTruthy();
    expect((await tabs.signIn(second.page, 'bob')).outside?.searchParams.get('code')).toBeTruthy();
  });

  it('a person is asked again once the grant was revoked', async () => {
    const { outside } = await again();
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    await server.fetch('/revoke', form({ token: String(tokens.refresh_token), client_id: client.id }));
    expect((await again()).page?.status).toBe(200);
  });
});

describe('an invalid authorization request', () => {
  it.each([
    [
      'RFC 7636 §4.4.1 without a challenge',
      { code_challenge: undefined, code_challenge_method: undefined },
      'invalid_request',
    ],
    ['RFC 7636 §4.4.1 with the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    [
      'RFC 7636 §4.3 with a challenge but no method, which means plain',
      { code_challenge_method: undefined },
      'invalid_request',
    ],
    ['RFC 6749 §4.1.2.1 for a token', { response_type: 'token' }, 'unsupported_response_type'],
    ['RFC 6749 §4.1.2.1 for code and ID token', { response_type: 'code id_token' }, 'unsupported_response_type'],
    ['RFC 8707 §2 for an unknown resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['RFC 8707 §2 for a resource with a fragment', { resource: 'http://localhost:8080/mcp#x' }, 'invalid_target'],
    ['RFC 8707 §2 for a resource that is no URI', { resource: 'mcp' }, 'invalid_target'],
    ['RFC 9101 §5 by a request object', { request: 'x' }, 'request_not_supported'],
  ])('a request %s returns to a client on this machine', async (_, parameters, code) => {
    const { outside } = await browser.follow(authorizePath(await register(server, NATIVE), parameters));
    expect(outside?.origin + (outside?.pathname ?? '')).toBe(NATIVE);
    // OAuth 2.0 Multiple Response Types §5: if a token was requested, the answer is in the fragment.
    const answer = new URLSearchParams(outside?.hash.slice(1) || outside?.search);
    expect(answer.get('error')).toBe(code);
    expect(answer.get('iss')).toBe(ISSUER);
  });

  it('the error says which resource was expected', async () => {
    const native = await register(server, NATIVE);
    const { outside } = await browser.follow(authorizePath(native, { resource: 'https://evil.example' }));
    expect(outside?.searchParams.get('error_description')).toContain('http://localhost:8080/mcp');
  });

  it.each([
    ['of an unknown client', { client_id: 'nobody' }, 'not registered here'],
    [
      'RFC 6749 §3.1.2.4 with a redirect URI that is not registered (hole 1.6/2)',
      { redirect_uri: 'https://evil.example/cb' },
      'did not register',
    ],
    ['with a longer redirect URI than was registered', { redirect_uri: `${WEB}/more` }, 'did not register'],
    ['without a redirect URI (hole 2.4/4)', { redirect_uri: undefined }, 'redirect_uri'],
    ['without a client', { client_id: undefined }, 'client_id'],
  ])('a request %s shows a page, and the browser stays', async (_, parameters, words) => {
    const { page, outside } = await browser.follow(authorizePath(client, parameters));
    expect(outside).toBeUndefined();
    expect(page?.status).toBe(400);
    expect(page?.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page?.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const text = (await page?.text()) ?? '';
    expect(text).toContain(words);
    expect(text).toContain(page?.headers.get('x-request-id'));
    expect(text).not.toMatch(/node_modules|at \w+ \(/);
  });

  it('RFC 8252 §7.3 a loopback redirect URI matches with any port and loopback name, and with no other host', async () => {
    const native = await register(server, NATIVE);
    const at = (redirect_uri: string) => browser.follow(authorizePath(native, { redirect_uri }));
    expect((await at('http://127.0.0.1:49152/callback')).page?.status).toBe(200);
    expect((await at('http://127.0.0.1.evil.example/callback')).page?.status).toBe(400);
    expect((await at('http://localhost:49152/callback')).page?.status).toBe(200);
  });

  it.each(['http://localhost:65536/callback', 'http://127.0.0.1:99999/callback', 'http://[::1]:70000/callback'])(
    'RFC 3986 §3.2.3 a redirect URI with an impossible port is refused: %s',
    async (redirect_uri) => {
      const native = await register(server, NATIVE);
      for (const wrong of [{}, { prompt: 'none' }, { response_type: 'token' }]) {
        const { page } = await browser.follow(authorizePath(native, { redirect_uri, ...wrong }));
        expect(page?.status).toBe(400);
      }
    },
  );

  it('the query of a registered redirect URI is kept (hole 1.6/13)', async () => {
    const app = await register(server, `${WEB}?tenant=a%26b`);
    const { answer } = await authorize(server, app);
    expect(answer.searchParams.get('tenant')).toBe('a&b');
    expect(answer.searchParams.get('code')).toBeTruthy();
  });

  it('an authorization resumed without its cookie shows what to do next', async () => {
    const page = await browser.visit('/authorize/unknown');
    expect(page.status).toBe(400);
    expect(await page.text()).toContain('connect again');
  });
});

describe('RFC 6265 cookies', () => {
  it('§4.1 the cookies have their own names, are HttpOnly, SameSite=Lax and signed', async () => {
    await authorize(server, client, {}, { browser });
    const lines = browser.cookies.map(({ line }) => line);
    expect(browser.cookies.map(({ name }) => name)).toEqual(expect.arrayContaining(['as_session', 'as_session.sig']));
    for (const line of lines) expect(line).toMatch(/^as_.*samesite=lax.*httponly/i);
    expect(lines.join()).not.toMatch(/secure/i);
  });

  it('RFC 6265bis §4.1.3.2 the cookies are Secure and __Host- where the issuer is https', async () => {
    const env = { ISSUER: 'https://auth.example.com', RESOURCES: 'https://mcp.example.com' };
    await using secure = await startServer({ env });
    const app = await register(secure);
    const visitor = new Browser(secure);
    const { answer } = await authorize(secure, app, {}, { browser: visitor });
    expect(answer.searchParams.get('iss')).toBe('https://auth.example.com');
    for (const { line } of visitor.cookies) expect(line).toMatch(/secure/i);
    const session = visitor.cookies.find(({ name }) => name === '__Host-as_session');
    expect(session?.path).toBe('/');
    expect(session?.line).not.toMatch(/domain=/i);
  });

  it('a session cookie with a forged signature is ignored', async () => {
    await authorize(server, client, {}, { browser });
    const [session] = browser.cookies.filter(({ name }) => name === 'as_session');
    const headers = { cookie: `as_session=${session?.value}; as_session.sig=forged` };
    const answer = await server.fetch(authorizePath(client), { headers });
    expect(answer.headers.get('location')).toMatch(/\/interaction\//);
  });
});
