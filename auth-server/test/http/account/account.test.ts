/**
 * Proves the account page as everybody can reach it: its headers, methods and spellings, and that no form of it acts without the token of
 * its session (RFC 9700 §4.7).
 */
import { describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { startServer } from '../../support/running-server.ts';

/** Every form of the page. */
const FORMS = ['end-access', 'end-all-access', 'sign-out-everywhere'] as const;

const tokenOf = async (browser: Browser): Promise<string> => tokenIn(await (await browser.visit('/account')).text());

const post = (browser: Browser, form: string, token: string, headers: Readonly<Record<string, string>> = {}) =>
  browser.visit(`/account/${form}`, { method: 'POST', body: new URLSearchParams({ token }), headers });

describe('the page /account', () => {
  it('the account page cannot be framed, is cached by nobody, runs no script, and varies with the language', async () => {
    await using server = await startServer();
    const page = await openPage(new Browser(server));
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(Object.fromEntries(page.headers)).toMatchObject({
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      vary: expect.stringContaining('Accept-Language'),
    });
    expect(await page.text()).not.toContain('<script');
  });

  it.each([
    ['en', 'Your account', 'Sign out in all browsers'],
    ['de', 'Ihr Konto', 'In allen Browsern abmelden'],
    ['fr', 'Votre compte', 'Se déconnecter dans tous les navigateurs'],
  ])('the account page speaks the language %s', async (language, title, button) => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    const markup = await (await browser.visit('/account', { headers: { 'accept-language': language } })).text();
    expect(markup).toContain(`<h1>${title}</h1>`);
    expect(markup).toContain(button);
  });

  it('the account page has the brand of the operator', async () => {
    await using server = await startServer({
      env: { BRAND_NAME: 'Acme & Co', SUPPORT_URL: 'mailto:help@example.com' },
    });
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain('<title>Your account · Acme &amp; Co</title>');
    expect(markup).toContain('href="mailto:help@example.com">Help</a>');
  });

  it('the account page answers HEAD as GET without a body, with and without a trailing slash, and refuses other methods', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    for (const path of ['/account', '/account/']) {
      const head = await browser.visit(path, { method: 'HEAD' });
      expect([head.status, await head.text()], path).toEqual([200, '']);
      const post = await browser.visit(path, { method: 'POST' });
      expect([post.status, post.headers.get('allow')], path).toEqual([405, 'GET, HEAD']);
    }
    expect((await browser.visit('/account/nothing', { method: 'POST' })).status).toBe(404);
    expect((await browser.visit('/accounts')).status).toBe(404);
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'CWE-1321 a name that every object has is no form of the page: %s',
    async (name) => {
      await using server = await startServer();
      const browser = new Browser(server);
      await openPage(browser);
      expect((await browser.visit(`/account/${name}`)).status).toBe(404);
      expect((await post(browser, name, await tokenOf(browser))).status).toBe(404);
    },
  );

  it('the forms of the account page post below the path of the issuer', async () => {
    await using server = await startServer({ env: { ISSUER: 'http://localhost:9000/auth' } });
    const browser = new Browser(server);
    const markup = await (await openPage(browser, `${server.issuer}/account`)).text();
    const actions = [...markup.matchAll(/<form[^>]* action="([^"]*)"/g)].map(([, action]) => action);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^\/auth\/account\/[\w-]+$/);
  });
});

describe.each(FORMS)('RFC 9700 §4.7 the form %s', (form) => {
  it.each([
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['another sub-domain', { 'sec-fetch-site': 'same-site' }],
  ])('the form is refused from %s, even with the right token', async (_, headers) => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    const response = await post(browser, form, await tokenOf(browser), headers);
    expect(response.status).toBe(403);
    expect((await browser.visit('/account')).status).toBe(200);
  });

  it('the form is refused without a token, with a wrong one, and with that of another session of the same person', async () => {
    await using server = await startServer();
    const [browser, other] = [new Browser(server), new Browser(server)];
    await openPage(browser);
    await openPage(other);
    for (const token of ['', 'x', await tokenOf(other)]) {
      const response = await post(browser, form, token);
      expect(response.status, token).toBe(403);
      expect(await response.text()).toContain('This page is out of date');
    }
    expect([(await browser.visit('/account')).status, (await other.visit('/account')).status]).toEqual([200, 200]);
  });

  it('the form of an ended session leads to a sign-in, after which nothing has been done', async () => {
    await using server = await startServer();
    const [browser, other] = [new Browser(server), new Browser(server)];
    await openPage(browser);
    await openPage(other);
    const token = await tokenOf(browser);
    const gone = new Browser(server);
    const response = await post(gone, form, token);
    expect([response.status, response.headers.get('location')]).toEqual([303, '/sign-in?to=%2Faccount']);
    expect((await openPage(gone)).status).toBe(200);
    expect([(await browser.visit('/account')).status, (await other.visit('/account')).status]).toEqual([200, 200]);
  });

  it('the form acts for POST only: GET, HEAD and other methods do nothing', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
      const response = await browser.visit(`/account/${form}?token=${await tokenOf(browser)}`, { method });
      expect([response.status, response.headers.get('allow')], method).toEqual([405, 'POST']);
    }
    expect((await browser.visit('/account')).status).toBe(200);
  });

  it('a large body of the form is not read', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    expect((await post(browser, form, 'x'.repeat(5_000))).status).toBe(413);
  });
});
