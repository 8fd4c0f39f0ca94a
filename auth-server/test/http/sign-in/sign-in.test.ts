/** Proves that the sign-in page and the callback are protected: forms, cookies, states, and answers of an upstream. */
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/federation/connector.ts';
import type { OpenConnector } from '../../../src/federation/registry.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, register, WEB } from '../../support/client.ts';
import { form, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

/** In addition to `acme`: a connector that fails as the `code` of the answer, or `begin`, says. */
const failing = (acme: OpenConnector, begin?: UpstreamError): OpenConnector => ({
  ...acme,
  id: 'failing',
  title: 'Failing',
  connector: {
    begin: (checks) => (begin ? Promise.reject(begin) : acme.connector.begin(checks)),
    finish: async (answer) => {
      const reason = answer.searchParams.get('code') as UpstreamError['reason'];
      throw new UpstreamError(reason, `the upstream said ${reason}`);
    },
  },
});

const start = (begin?: UpstreamError) => startServer({ connectors: (acme) => [acme, failing(acme, begin)] });

/** A browser at the sign-in page. */
async function arrive(server: RunningServer) {
  const browser = new Browser(server);
  const { page, hops } = await browser.follow(authorizePath(await register(server)));
  return { browser, page, path: hops.at(-1) ?? '' };
}

/** A browser that is at an upstream. */
async function leave(server: RunningServer, connector = 'acme') {
  const { browser, page, path } = await arrive(server);
  const { outside } = await browser.submit(page, 'approve', { connector });
  const state = outside?.searchParams.get('state') ?? '';
  return { browser, path, state, callback: `/callback/${connector}?${new URLSearchParams({ state, code: 'alice' })}` };
}

const loginCookies = ({ cookies }: Browser) => cookies.filter(({ name }) => name.includes('as_login_'));
const answerOf = (outside: URL | undefined) => ({
  at: outside && outside.origin + outside.pathname,
  ...Object.fromEntries(outside?.searchParams ?? []),
});

describe('the sign-in page', () => {
  it('RFC 6749 §10.13 the sign-in page cannot be framed, scripted or cached', async () => {
    await using server = await start();
    const { page } = await arrive(server);
    expect(page?.status).toBe(200);
    const policy = page?.headers.get('content-security-policy');
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('form-action');
    expect(page?.headers.get('cache-control')).toBe('no-store');
    expect(page?.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('the sign-in page needs the cookie of its browser, and is a 400 page without it', async () => {
    await using server = await start();
    const { path } = await arrive(server);
    for (const target of [path, `${path}/finish`]) {
      const response = await server.fetch(target, { headers: { accept: 'text/html' } });
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toContain('text/html');
    }
  });

  it('RFC 6265 §7.2 a browser that refuses cookies is told so, and not that it took too long', async () => {
    await using server = await start();
    const client = await register(server);
    const first = await server.fetch(authorizePath(client), { headers: { accept: 'text/html' } });
    const page = await server.fetch(first.headers.get('location') ?? '', { headers: { accept: 'text/html' } });
    const text = await page.text();
    expect(page.status).toBe(400);
    expect(text).toContain('did not send the cookie');
    expect(text).toContain('Allow cookies');
    expect(text).not.toContain('too long');
    const { reason } = server.log.find(({ msg }) => msg === 'request refused') ?? {};
    expect(reason).toContain('cookie');
  });

  it('a late visit is told that the interaction is over', async () => {
    await using server = await start();
    const { browser, page, path } = await arrive(server);
    await browser.submit(page, 'deny');
    const late = await browser.visit(path);
    expect([late.status, (await late.text()).includes('over')]).toEqual([400, true]);
  });

  it('RFC 7592 §2.3 a person is told when the app was removed meanwhile', async () => {
    await using server = await startServer({ env: { REGISTRATION_MANAGEMENT: 'true' } });
    const app = await read(
      await server.fetch('/register', json({ redirect_uris: [WEB], token_endpoint_auth_method: 'none' })),
    );
    const browser = new Browser(server);
    const { hops } = await browser.follow(authorizePath({ id: String(app.client_id), redirectUri: WEB }));
    const headers = { authorization: `Bearer ${app.registration_access_token}` };
    await server.fetch(String(app.registration_client_uri), { method: 'DELETE', headers });
    const page = await browser.visit(hops.at(-1) ?? '');
    const text = await page.text();
    expect([page.status, text.includes('no longer registered'), text.includes('too long')]).toEqual([400, true, false]);
  });

  it('a tab is told when its person was changed in another tab', async () => {
    await using server = await start();
    const client = await register(server);
    const browser = new Browser(server);
    await authorize(server, client, {}, { browser });
    const first = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    const second = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    await browser.signIn(second.page, 'bob');
    const stale = await browser.visit(first.hops.at(-1) ?? '');
    expect([stale.status, (await stale.text()).includes('in another tab')]).toEqual([400, true]);
  });

  it('RFC 6749 §4.1.2.1 a denial goes to the client, with state and issuer', async () => {
    await using server = await start();
    const { browser, page } = await arrive(server);
    const { outside } = await browser.submit(page, 'deny');
    expect(answerOf(outside)).toMatchObject({
      at: WEB,
      error: 'access_denied',
      state: 'the-state',
      iss: server.issuer,
    });
  });
});

describe('RFC 9700 §4.7 validation of the sign-in form', () => {
  it.each([
    ['no token', {}, {}],
    ['a made-up token', { token: 'x'.repeat(43) }, {}],
  ])('a form with %s is refused', async (_, fields: Record<string, string>, headers) => {
    await using server = await start();
    const { browser, path } = await arrive(server);
    for (const action of ['approve', 'deny']) {
      const sent = { ...form({ connector: 'acme', ...fields }), headers };
      expect((await browser.visit(`${path}/${action}`, sent)).status).toBe(403);
    }
    expect(loginCookies(browser)).toEqual([]);
  });

  it('a form with the token of another interaction of the same browser is refused', async () => {
    await using server = await start();
    const one = await arrive(server);
    const { page } = await one.browser.follow(authorizePath(await register(server)));
    const [, token = ''] = /name="token" value="([^"]+)"/.exec((await page?.text()) ?? '') ?? [];
    expect(token).not.toBe('');
    expect((await one.browser.visit(`${one.path}/approve`, form({ token, connector: 'acme' }))).status).toBe(403);
  });

  it.each([
    ['Sec-Fetch-Site: cross-site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['Sec-Fetch-Site: same-site', { 'sec-fetch-site': 'same-site' }, 403],
    ['a foreign Origin', { origin: 'https://evil.example' }, 403],
    ['our own Origin', { origin: 'http://localhost:9000' }, 303],
    ['Origin: null, as our referrer policy makes it', { origin: 'null', 'sec-fetch-site': 'same-origin' }, 303],
  ])('the origin of a form is checked: %s', async (_, headers: Record<string, string>, status) => {
    await using server = await start();
    const { browser, page, path } = await arrive(server);
    const [, token = ''] = /name="token" value="([^"]+)"/.exec((await page?.text()) ?? '') ?? [];
    const response = await browser.visit(`${path}/approve`, { ...form({ token, connector: 'acme' }), headers });
    expect(response.status).toBe(status);
  });

  it.each([
    ['a way to sign in that is not there', { connector: 'nobody' }],
    ['an approval without anybody signed in', {}],
  ])('a form with %s gets a 400 page', async (_, fields: Record<string, string>) => {
    await using server = await start();
    const { browser, page } = await arrive(server);
    expect((await browser.submit(page, 'approve', fields)).page?.status).toBe(400);
  });

  it('a form that is too large or of another content type is refused', async () => {
    await using server = await start();
    const { browser, path } = await arrive(server);
    const endless = await browser.visit(`${path}/approve`, form({ token: 'x'.repeat(100_000) }));
    expect(endless.status).toBe(413);
    const json = { method: 'POST', body: '{"token":', headers: { 'content-type': 'application/json' } };
    expect((await browser.visit(`${path}/approve`, json)).status).toBe(403);
  });
});

describe('RFC 6749 §10.12 the return from an upstream', () => {
  it('the callback needs the cookie of the browser that left, and a replay without it uses up nothing', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    const stranger = await server.fetch(callback, { headers: { accept: 'text/html' } });
    expect(stranger.status).toBe(400);
    expect(await stranger.text()).toContain('connect again');
    const { outside } = await browser.follow(callback);
    expect(answerOf(outside)).toMatchObject({ at: WEB, state: 'the-state', code: expect.any(String) });
  });

  it('the callback works once, and clears its cookie', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    const jar = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect(loginCookies(browser)).toHaveLength(1);
    await browser.follow(callback);
    expect(loginCookies(browser)).toEqual([]);
    expect((await server.fetch(callback, { headers: { cookie: jar } })).status).toBe(400);
  });

  it('the callback succeeds for exactly one of many concurrent requests', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    const cookie = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.fetch(callback, { headers: { cookie } })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, ...Array(9).fill(400)]);
  });

  it('RFC 9700 §4.4 an answer at the callback of another connector changes nothing', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    expect((await browser.visit(callback.replace('/acme', '/failing'))).status).toBe(400);
    expect((await browser.follow(callback)).outside?.searchParams.get('code')).toBeTruthy();
  });

  it.each([
    ['no state', () => '/callback/acme?code=alice', 400],
    ['a forged state', () => '/callback/acme?code=alice&state=forged', 400],
    ['two states', (state: string) => `/callback/acme?code=alice&state=${state}&state=${state}`, 400],
    ['a connector that is not there', (state: string) => `/callback/nobody?code=alice&state=${state}`, 404],
  ])('the callback with %s is refused', async (_, target, status) => {
    await using server = await start();
    const { browser, state } = await leave(server);
    expect((await browser.visit(target(state))).status).toBe(status);
  });

  it('the callback with a cookie signed by another key is refused', async () => {
    await using server = await start();
    await using other = await start();
    const { browser, state } = await leave(other);
    const cookie = loginCookies(browser).map(({ name, value }) => `${name}=${value}`).join('; '); // biome-ignore format: one row
    expect((await server.fetch(`/callback/acme?code=x&state=${state}`, { headers: { cookie } })).status).toBe(400);
    const { reason } = server.log.find(({ msg }) => msg === 'request refused') ?? {};
    expect(reason).toContain('cookie');
  });

  it('RFC 9110 §9.2.1 HEAD at the callback uses up nothing', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    const head = await browser.visit(callback, { method: 'HEAD' });
    expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect((await browser.follow(callback)).outside?.searchParams.get('code')).toBeTruthy();
  });

  it('RFC 9110 §9.2.1 HEAD at any step of a sign-in uses up nothing and starts none', async () => {
    await using server = await start();
    const { browser, callback } = await leave(server);
    let next = callback;
    for (;;) {
      const head = await browser.visit(next, { method: 'HEAD' });
      expect([next, head.status, head.headers.get('location')]).toEqual([next, 405, null]);
      const { headers } = await browser.visit(next);
      next = headers.get('location') ?? '';
      if (!next.startsWith('/') && !next.startsWith(server.issuer)) break;
    }
    expect(new URL(next).searchParams.get('code')).toBeTruthy();
    const begun = await new Browser(server).visit(authorizePath(await register(server)), { method: 'HEAD' });
    expect([begun.status, begun.headers.getSetCookie()]).toEqual([405, []]);
  });

  it('the sign-ins of two tabs are kept apart, whichever returns first', async () => {
    await using server = await start();
    const { browser, callback: first } = await leave(server);
    const { page } = await browser.follow(authorizePath(await register(server)));
    const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
    const state = outside?.searchParams.get('state') ?? '';
    expect(loginCookies(browser)).toHaveLength(2);
    const second = await browser.follow(`/callback/acme?state=${state}&code=alice`);
    expect(second.outside?.searchParams.get('code')).toBeTruthy();
    expect((await browser.follow(first)).outside?.searchParams.get('code')).toBeTruthy();
  });

  it('the finish step without a callback leads back to the page', async () => {
    await using server = await start();
    const { browser, path } = await leave(server);
    const response = await browser.visit(`${path}/finish`);
    expect([response.status, response.headers.get('location')]).toEqual([303, path]);
  });

  it('state, code and cookie never appear in the log', async () => {
    await using server = await start();
    const { browser, callback, state } = await leave(server);
    const [cookie] = loginCookies(browser);
    await browser.follow(callback);
    const log = JSON.stringify(server.log);
    expect(log).toContain('/callback/acme');
    for (const secret of [state, cookie?.value ?? '', 'code=alice']) expect(log).not.toContain(secret);
  });
});

describe('failures of an upstream during a sign-in', () => {
  it.each([
    ['denied', 'access_denied'],
    ['unavailable', 'temporarily_unavailable'],
    ['misconfigured', 'server_error'],
    ['invalid_answer', 'server_error'],
  ])('RFC 6749 §4.1.2.1 the upstream failure %s goes to the client as %s', async (code, error) => {
    await using server = await start();
    const { browser, state } = await leave(server, 'failing');
    const { outside } = await browser.follow(`/callback/failing?state=${state}&code=${code}`);
    expect(answerOf(outside)).toMatchObject({ at: WEB, error, state: 'the-state', iss: server.issuer });
  });

  it('an upstream that is down before the redirect is reported to the client, and leaves no cookie', async () => {
    await using server = await start(new UpstreamError('unavailable', 'connection refused'));
    const { browser, page } = await arrive(server);
    const { outside } = await browser.submit(page, 'approve', { connector: 'failing' });
    expect(answerOf(outside)).toMatchObject({ error: 'temporarily_unavailable', state: 'the-state' });
    expect(loginCookies(browser)).toEqual([]);
  });
});

describe('the cookie of a sign-in', () => {
  it('the login cookie is HttpOnly, SameSite=Lax, and lives ten minutes', async () => {
    await using server = await start();
    const { browser } = await leave(server);
    const line = loginCookies(browser)[0]?.line.toLowerCase() ?? '';
    for (const attribute of ['httponly', 'samesite=lax', 'path=/;']) expect(`${line};`).toContain(attribute);
    expect(line).not.toContain('secure');
  });

  it('RFC 6265bis §4.1.3.2 the login cookie of an https issuer has the prefix __Host-', async () => {
    const env = { ISSUER: 'https://auth.example.com' };
    await using server = await startServer({ env });
    const { browser } = await leave(server);
    expect(loginCookies(browser)[0]?.line).toMatch(/^__Host-as_login_[\w-]{12}=.*; secure/i);
  });
});
