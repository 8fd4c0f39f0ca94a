/**
 * Proves how long a person stays signed in on the pages of this server, and what ends it: time, a sign-out here or everywhere, a logout
 * at the identity provider, and a rule that no longer admits them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, register } from '../../support/client.ts';
import { comeBack, openPage, PAGE_COOKIE, pageCookieOf, tokenIn } from '../../support/page-visitor.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'page-sessions-'));
afterAll(() => rmSync(folder, { recursive: true }));

const MINUTE = 60;

const startWithClock = async (options: ServerOptions = {}) => {
  const clock = new FakeClock();
  const server = await startServer({ clock, store: createSqliteStore(':memory:', clock), ...options });
  return { clock, server, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
};

const isSignedIn = async (browser: Browser): Promise<boolean> => (await browser.visit('/account')).status === 200;

/** As a page of a browser that has kept its cookie. */
const copyOf = (browser: Browser, server: RunningServer) => {
  const cookie = `${PAGE_COOKIE}=${pageCookieOf(browser)}`;
  return async (): Promise<boolean> => (await server.fetch('/account', { headers: { cookie } })).status === 200;
};

describe('a session on the pages', () => {
  it('a page session ends when nobody has used it for half an hour', async () => {
    await using running = await startWithClock();
    const browser = new Browser(running.server);
    await openPage(browser);
    running.clock.advance(29 * MINUTE);
    expect(await isSignedIn(browser)).toBe(true);
    running.clock.advance(29 * MINUTE);
    expect(await isSignedIn(browser)).toBe(true);
    running.clock.advance(31 * MINUTE);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('a page session ends eight hours after the sign-in, however it is used', async () => {
    await using running = await startWithClock();
    const browser = new Browser(running.server);
    await openPage(browser);
    for (let past = 0; past < 7 * 60 + 40; past += 20) {
      running.clock.advance(20 * MINUTE);
      expect(await isSignedIn(browser), `after ${past} minutes`).toBe(true);
    }
    running.clock.advance(20 * MINUTE);
    expect(await isSignedIn(browser)).toBe(false);
  });

  it('a cookie that this server did not set opens nothing', async () => {
    await using server = await startServer();
    for (const value of ['', 'x', 'a'.repeat(3_000), '%00', '"quoted"']) {
      const headers = { cookie: `${PAGE_COOKIE}=${value}` };
      expect((await server.fetch('/account', { headers })).status, value).toBe(303);
    }
  });

  it('a sign-out at /logout ends the page session of this browser, and a copy of its cookie is worth nothing', async () => {
    await using server = await startServer();
    const [browser, other] = [new Browser(server), new Browser(server)];
    await openPage(browser);
    const isCopyValid = copyOf(browser, server);
    await openPage(other);
    const asked = await (await browser.visit('/logout')).text();
    expect(asked).toContain('alice@acme.example');
    const body = new URLSearchParams({ token: tokenIn(asked) });
    expect((await browser.visit('/logout', { method: 'POST', body })).status).toBe(200);
    expect([await isSignedIn(browser), await isCopyValid(), await isSignedIn(other)]).toEqual([false, false, true]);
    expect(pageCookieOf(browser)).toBeUndefined();
  });

  it('a sign-out everywhere ends the sessions of all browsers, of the pages and of the engine, and of nobody else', async () => {
    await using running = await startWithClock();
    const { server, clock } = running;
    const client = await register(server);
    const [here, there, bob] = [new Browser(server), new Browser(server), new Browser(server)];
    const page = await (await openPage(here)).text();
    await authorize(server, client, {}, { browser: there });
    await openPage(bob, '/account', 'bob');
    const body = new URLSearchParams({ token: tokenIn(page) });
    const done = await here.visit('/account/sign-out-everywhere', { method: 'POST', body });
    expect(done.status).toBe(200);
    expect(await done.text()).toContain('You are signed out');
    const consent = authorizePath(client, { prompt: 'none' });
    expect([await isSignedIn(here), await isSignedIn(there), await isSignedIn(bob)]).toEqual([false, false, true]);
    expect((await there.follow(consent)).outside?.searchParams.get('error')).toBe('login_required');
    clock.advance(4);
    expect(await (await openPage(here)).text()).toContain('alice@acme.example');
  });

  it('a sign-in that was under way while the person signed out everywhere gives no session, and ends at an error page', async () => {
    await using server = await startServer();
    const [browser, late] = [new Browser(server), new Browser(server)];
    const page = await (await openPage(browser)).text();
    const { outside } = await late.follow('/account');
    const body = new URLSearchParams({ token: tokenIn(page) });
    await browser.visit('/account/sign-out-everywhere', { method: 'POST', body });
    const refused = await comeBack(late, outside);
    expect(refused.status).toBe(403);
    expect(await refused.text()).toContain('You signed out everywhere during this sign-in');
    expect(pageCookieOf(late)).toBeUndefined();
  });

  it('a rule that no longer admits the person ends the page session at the next request', async () => {
    const file = join(folder, 'people');
    writeFileSync(file, 'email:alice@acme.example\n');
    await using running = await startWithClock({ env: { PEOPLE_ALLOW: `file:${file}` } });
    const { server, clock } = running;
    const browser = new Browser(server);
    await openPage(browser);
    const isCopyValid = copyOf(browser, server);
    writeFileSync(file, 'email:bob@acme.example\n');
    clock.advance(60);
    expect(await isSignedIn(browser)).toBe(false);
    writeFileSync(file, 'email:alice@acme.example\n# again\n');
    clock.advance(60);
    expect(await isCopyValid()).toBe(false);
  });
});

describe('a browser that has a session of the engine, from the sign-in of an app', () => {
  it('the browser of an app is signed in on the account page too, and a sign-out at /logout ends that', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await authorize(server, await register(server), {}, { browser });
    const page = await browser.visit('/account');
    expect([page.status, pageCookieOf(browser)]).toEqual([200, undefined]);
    const markup = await page.text();
    expect(markup).toContain('alice@acme.example');
    const body = new URLSearchParams({ token: tokenIn(await (await browser.visit('/logout')).text()) });
    await browser.visit('/logout', { method: 'POST', body });
    expect(await isSignedIn(browser)).toBe(false);
    const late = await browser.visit('/account/sign-out-everywhere', {
      method: 'POST',
      body: new URLSearchParams({ token: tokenIn(markup) }),
    });
    expect(late.headers.get('location')).toBe('/sign-in?to=%2Faccount');
  });

  it('the page shows the later one of two people who sign in one after the other', async () => {
    await using running = await startWithClock();
    const { server, clock } = running;
    const browser = new Browser(server);
    const client = await register(server);
    await openPage(browser);
    clock.advance(2);
    await authorize(server, client, {}, { browser, person: 'bob' });
    expect(await (await browser.visit('/account')).text()).toContain('bob@acme.example');
    clock.advance(2);
    await comeBack(browser, (await browser.follow('/sign-in')).outside, 'carol');
    expect(await (await browser.visit('/account')).text()).toContain('carol@acme.example');
  });

  it('the sign-out on the sign-in page of an app ends the session of the pages as well', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    const client = await register(server);
    await authorize(server, client, {}, { browser });
    await comeBack(browser, (await browser.follow('/sign-in')).outside);
    expect(pageCookieOf(browser)).toBeDefined();
    const { page } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    const markup = (await page?.text()) ?? '';
    const [, path = ''] = /formaction="([^"]+)"/.exec(markup) ?? [];
    await browser.visit(`${server.issuer}${path}`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokenIn(markup) }),
    });
    expect([pageCookieOf(browser), await isSignedIn(browser)]).toEqual([undefined, false]);
  });
});
