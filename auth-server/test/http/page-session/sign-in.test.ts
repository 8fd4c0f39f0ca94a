/**
 * Proves how a person signs in to a page of this server without an app: with the checks of every sign-in (RFC 9700 §4.7), only back to
 * a page, and what they see when they may not come in.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import type { BeginOptions } from '../../../src/federation/connector.ts';
import type { OpenConnector } from '../../../src/federation/registry.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { comeBack, openPage, PAGE_COOKIE, pageCookieOf } from '../../support/page-visitor.ts';
import { type ServerOptions, startServer } from '../../support/running-server.ts';

const second = (acme: OpenConnector): readonly OpenConnector[] => [
  acme,
  { ...acme, id: 'other', title: 'Other <b>', callbackUrl: acme.callbackUrl.replace('acme', 'other') },
];

describe('a sign-in to a page, with one identity provider', () => {
  it('a sign-in to a page leads to the only provider at once and comes back to the page, which nothing caches', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    const { outside, hops } = await browser.follow('/account');
    expect(hops).toEqual(['/sign-in', '/authorize']);
    const page = await comeBack(browser, outside);
    expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await page.text()).toContain('alice@acme.example');
  });

  it('RFC 6265 §4.1.2 the cookie is HttpOnly, Lax, for this session of the browser, and __Host- over https', async () => {
    await using plain = await startServer();
    const browser = new Browser(plain);
    await openPage(browser);
    const line = browser.cookies.find(({ name }) => name === PAGE_COOKIE)?.line;
    expect(line).toMatch(/; path=\/; samesite=lax; httponly$/i);
    await using secure = await startServer({ env: { ISSUER: 'https://auth.example.com' } });
    const other = new Browser(secure);
    await openPage(other);
    expect(other.cookies.find(({ name }) => name === `__Host-${PAGE_COOKIE}`)?.line).toMatch(
      /; path=\/; samesite=lax; secure; httponly$/i,
    );
  });

  it('RFC 6265 §8.5 two servers of one host, with different paths, do not share a session', async () => {
    const names: string[] = [];
    for (const path of ['', '/one', '/two']) {
      await using server = await startServer({ env: { ISSUER: `http://localhost:9000${path}` } });
      const browser = new Browser(server);
      await openPage(browser);
      names.push(...browser.cookies.map(({ name }) => name).filter((name) => name.startsWith(PAGE_COOKIE)));
    }
    expect([names.length, new Set(names).size]).toEqual([3, 3]);
  });

  it('the store has a digest of the id in the cookie', async () => {
    const store = createSqliteStore(':memory:', new FakeClock());
    const ids: string[] = [];
    const put: typeof store.put = (kind, id, value, options) => {
      if (kind === 'PageSession') ids.push(id, JSON.stringify(value));
      return store.put(kind, id, value, options);
    };
    await using server = await startServer({ store: { ...store, put } });
    const browser = new Browser(server);
    await openPage(browser);
    expect(ids).toHaveLength(2);
    expect(ids.join()).not.toContain(pageCookieOf(browser));
    const copied = await server.fetch('/account', { headers: { cookie: `${PAGE_COOKIE}=${ids[0]}` } });
    expect(copied.status).toBe(303);
  });

  it.each(['https://evil.example/account', '//evil.example', '/authorize', '/account/../authorize', '/accounts'])(
    'RFC 9700 §4.11 a link can’t choose another end of the sign-in: %s',
    async (to) => {
      await using server = await startServer();
      const browser = new Browser(server);
      const { outside } = await browser.follow(`/sign-in?${new URLSearchParams({ to })}`);
      const state = outside?.searchParams.get('state') ?? '';
      const back = await browser.visit(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
      expect([back.status, back.headers.get('location')]).toEqual([303, '/account']);
    },
  );

  it('the path of the issuer is part of every step', async () => {
    await using server = await startServer({ env: { ISSUER: 'http://localhost:9000/auth' } });
    const browser = new Browser(server);
    const { hops, outside } = await browser.follow(`${server.issuer}/account/`);
    expect(hops[0]).toBe('/auth/sign-in');
    const state = outside?.searchParams.get('state') ?? '';
    const back = `${server.issuer}/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`;
    const { page, hops: home } = await browser.follow(back);
    expect([page?.status, home]).toEqual([200, ['/auth/account']]);
  });

  it('RFC 9110 §9.2.1 HEAD starts no sign-in', async () => {
    await using server = await startServer();
    expect((await server.fetch('/account', { method: 'HEAD' })).status).toBe(303);
    const head = await server.fetch('/sign-in?to=/account', { method: 'HEAD' });
    expect([head.status, head.headers.get('allow'), head.headers.getSetCookie()]).toEqual([405, 'GET, POST', []]);
  });

  it('RFC 9700 §4.16 one address can start so many sign-ins a minute, as on the sign-in page of an app', async () => {
    await using server = await startServer({ env: { AUTHORIZATION_LIMIT: '2' } });
    const statuses = [];
    for (let asked = 0; asked < 3; asked += 1) statuses.push((await server.fetch('/sign-in')).status);
    expect(statuses).toEqual([303, 303, 429]);
  });
});

describe('the audit of a sign-in to a page', () => {
  it('the start and the end are entries of one flow, and no client is in them', async () => {
    await using server = await startServer();
    await openPage(new Browser(server));
    expect(server.entries.map(({ event, client, flow }) => [event, client, flow])).toEqual([
      ['sign-in.started', undefined, expect.stringMatching(/^[\w-]{22}$/)],
      ['sign-in.succeeded', undefined, server.entries[0]?.flow],
    ]);
  });
});

describe('RFC 9700 §4.7 the answer of the identity provider', () => {
  const begun = async (options?: ServerOptions) => {
    const server = await startServer(options);
    const browser = new Browser(server);
    const { outside } = await browser.follow('/account');
    return { server, browser, state: outside?.searchParams.get('state') ?? '' };
  };
  const answer = (browser: Browser, state: string, connector = 'acme') =>
    browser.visit(`/callback/${connector}?${new URLSearchParams({ state, code: 'alice' })}`);

  it('an answer is refused in another browser, and the sign-in still waits for its own', async () => {
    const { server, browser, state } = await begun();
    await using _ = server;
    const stranger = new Browser(server);
    const refused = await answer(stranger, state);
    expect(refused.status).toBe(400);
    expect(pageCookieOf(stranger)).toBeUndefined();
    expect((await answer(browser, state)).status).toBe(303);
  });

  it('an answer is accepted once', async () => {
    const { server, browser, state } = await begun();
    await using _ = server;
    const cookies = browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    expect((await answer(browser, state)).status).toBe(303);
    const again = await server.fetch(`/callback/acme?state=${state}&code=alice`, { headers: { cookie: cookies } });
    expect([again.status, again.headers.getSetCookie()]).toEqual([400, []]);
  });

  it('an answer is refused at the callback of another connector', async () => {
    const { server, browser, state } = await begun({ connectors: (acme) => second(acme) });
    await using _ = server;
    expect(state).toBe('');
    const started = await browser.visit('/sign-in', {
      method: 'POST',
      body: new URLSearchParams({ connector: 'acme', to: '/account' }),
    });
    const own = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? '';
    expect((await answer(browser, own, 'other')).status).toBe(400);
    expect(pageCookieOf(browser)).toBeUndefined();
  });

  it('an answer leads to a new id in the cookie, whatever id the browser had before (session fixation)', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    const planted = pageCookieOf(browser);
    const { outside } = await browser.follow('/sign-in');
    await comeBack(browser, outside, 'bob');
    expect(pageCookieOf(browser)).not.toBe(planted);
    const old = await server.fetch('/account', { headers: { cookie: `${PAGE_COOKIE}=${planted}` } });
    expect(old.status).toBe(303);
  });
});

describe('a sign-in to a page, with several identity providers', () => {
  it('the person chooses one on a page, and the choice starts the sign-in', async () => {
    await using server = await startServer({ connectors: second });
    const browser = new Browser(server);
    const { page } = await browser.follow('/account');
    const markup = (await page?.text()) ?? '';
    expect(markup).toContain('<button name="connector" value="acme">Continue with <bdi>Acme</bdi></button>');
    expect(markup).toContain('Other &lt;b&gt;');
    expect(page?.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const body = new URLSearchParams({ to: '/account', connector: 'acme' });
    const { outside } = await browser.follow('/sign-in', { method: 'POST', body });
    expect(await (await comeBack(browser, outside)).text()).toContain('alice@acme.example');
  });

  it('a form of another site, an unknown choice and a large form start nothing', async () => {
    await using server = await startServer({ connectors: second });
    const post = (fields: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) =>
      server.fetch('/sign-in', { method: 'POST', body: new URLSearchParams(fields), headers });
    const responses = [
      await post({ connector: 'acme' }, { 'sec-fetch-site': 'cross-site' }),
      await post({ connector: 'acme' }, { origin: 'https://evil.example' }),
      await post({ connector: 'nobody' }),
      await post({ connector: 'acme', to: 'x'.repeat(2_000) }),
    ];
    expect(responses.map(({ status }) => status)).toEqual([403, 403, 400, 413]);
    for (const response of responses) expect(response.headers.getSetCookie()).toEqual([]);
  });
});

describe('a sign-in to a page that fails', () => {
  it('a person whom the rules refuse sees a page without an app, and can use another account', async () => {
    const asked: (BeginOptions | undefined)[] = [];
    await using server = await startServer({
      env: { PEOPLE_ALLOW: 'email:alice@acme.example' },
      connectors: (acme) => [
        {
          ...acme,
          connector: {
            ...acme.connector,
            begin: (checks, options) => {
              asked.push(options);
              return acme.connector.begin(checks, options);
            },
          },
        },
      ],
    });
    const browser = new Browser(server);
    const page = await openPage(browser, '/account', 'mallory');
    const markup = await page.text();
    expect([page.status, page.headers.get('refresh')]).toEqual([403, null]);
    expect(markup).toContain('This account has no access');
    expect(markup).not.toMatch(/\bapp\b/);
    expect(pageCookieOf(browser)).toBeUndefined();
    const [, again = ''] = /href="([^"]+)"/.exec(markup.slice(markup.indexOf('<main'))) ?? [];
    const { outside } = await browser.follow(again.replaceAll('&amp;', '&'));
    expect(asked.at(-1)).toMatchObject({ selectAccount: true });
    expect(await (await comeBack(browser, outside)).text()).toContain('alice@acme.example');
  });

  it('an identity provider that is down, or refuses, gets a page with a reference and no advice about an app', async () => {
    await using server = await startServer({
      connectors: (acme) => [
        {
          ...acme,
          connector: { ...acme.connector, begin: () => Promise.reject(new Error('down')) },
        },
      ],
    });
    const response = await server.fetch('/sign-in', { headers: { accept: 'text/html' } });
    const markup = await response.text();
    expect([response.status, response.headers.getSetCookie()]).toEqual([503, []]);
    expect(markup).toContain('Acme did not answer as expected');
    expect(markup).not.toMatch(/\bapp\b/);
    expect(markup).toContain(`<code>${response.headers.get('x-request-id')}</code>`);
  });
});
