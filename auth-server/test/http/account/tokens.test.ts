/**
 * Proves that a person makes personal tokens on the account page, sees each once, and ends them; and that no form gives more than the
 * person may have, or ends what is somebody else's.
 */
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { type RunningServer, startServer } from '../../support/running-server.ts';

const RESOURCE = { url: 'http://localhost:8080', name: 'Notes', scopes: { read: 'Read notes', admin: 'See <all>' } };
const NOTES = `${RESOURCE.url}/mcp`;

const env = {
  PERSONAL_TOKENS: 'on',
  RESOURCES: JSON.stringify([RESOURCE]),
  SCOPE_RULES: 'read=anyone; admin=email:boss@acme.example',
  TOKEN_CLAIMS: 'email',
};

interface Asked {
  readonly name?: string;
  readonly lifetime?: string;
  readonly resource?: string;
  readonly scope?: readonly string[];
  readonly request?: string;
  readonly token?: string;
}

describe('personal tokens on /account', () => {
  let server: RunningServer;
  let browser: Browser;
  beforeEach(async () => {
    server = await startServer({ env });
    browser = new Browser(server);
    await openPage(browser);
  });
  afterEach(() => server[Symbol.asyncDispose]());

  const markup = async (by = browser) => (await by.visit('/account')).text();
  const field = (page: string, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
  async function create(asked: Asked = {}, by = browser) {
    const page = await markup(by);
    const { scope = ['read'], ...others } = asked;
    const usual = {
      name: 'laptop',
      lifetime: '604800',
      resource: NOTES,
      request: field(page, 'request'),
      token: tokenIn(page),
    };
    const body = new URLSearchParams({ ...usual, ...others });
    for (const one of scope) body.append('scope', one);
    const response = await by.visit('/account/create-token', { method: 'POST', body });
    const text = await response.text();
    return { response, text, jwt: /readonly value="([^"]+)"/.exec(text)?.[1] };
  }
  async function end(id: string, by = browser) {
    const body = new URLSearchParams({ id, token: tokenIn(await markup(by)) });
    return by.visit('/account/end-token', { method: 'POST', body });
  }

  it('a new token is shown once, in an answer that nothing stores, and a reload does not show it again', async () => {
    const { response, text, jwt = '' } = await create({ name: 'laptop & <b>cron</b>' });
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(text).toContain('laptop &amp; &lt;b&gt;cron&lt;/b&gt;');
    expect(text).not.toContain('<b>cron');
    const { sub, scope, aud, exp = 0, iat = 0, email } = decodeJwt(jwt);
    expect([scope, aud, exp - iat, email]).toEqual(['read', NOTES, 604_800, 'alice@acme.example']);
    expect(sub).toMatch(/^[\w-]{43}$/);
    const after = await markup();
    expect(after).not.toContain(jwt.split('.')[2]);
    expect(after).toContain('laptop &amp; &lt;b&gt;cron&lt;/b&gt;');
    expect(JSON.stringify(server.log)).not.toContain(jwt.split('.')[2]);
  });

  it('a form that is sent again makes no second token, and its answer shows none', async () => {
    const request = 'the-request-of-this-form';
    expect((await create({ request })).jwt).toBeDefined();
    const again = await create({ request });
    expect([again.response.status, again.jwt]).toEqual([400, undefined]);
    expect(again.text).toContain('was created already');
    expect([...(await markup()).matchAll(/action="\/account\/end-token"/g)]).toHaveLength(1);
  });

  it('a form offers the scopes that the person may have, and no other can be had', async () => {
    const page = await markup();
    expect(page).toContain('Read notes');
    expect(page).not.toContain('See &lt;all&gt;');
    const attempts: readonly Asked[] = [
      { scope: ['admin'] },
      { scope: ['read', 'admin'] },
      { scope: [] },
      { scope: ['openid'] },
      { lifetime: '7776001' },
      { lifetime: '-1' },
      { lifetime: '1e9' },
      { lifetime: '' },
      { resource: 'http://localhost:8081/mcp' },
      { name: '' },
      { name: 'x'.repeat(61) },
    ];
    for (const asked of attempts) {
      const { response, jwt } = await create(asked);
      expect([response.status, jwt], JSON.stringify(asked)).toEqual([400, undefined]);
    }
    expect(await markup()).not.toContain('end-token"');
    const boss = new Browser(server);
    await openPage(boss, '/account', 'boss');
    expect(decodeJwt((await create({ scope: ['read', 'admin'] }, boss)).jwt ?? '').scope).toBe('read admin');
  });

  it('a person ends their own token, and not that of somebody else', async () => {
    const id = String(decodeJwt((await create()).jwt ?? '').jti);
    const mallory = new Browser(server);
    await openPage(mallory, '/account', 'mallory');
    expect(await markup(mallory)).not.toContain(id);
    expect((await end(id, mallory)).status).toBe(303);
    expect(await markup()).toContain(id);
    expect((await end(id)).status).toBe(303);
    expect(await markup()).not.toContain(id);
    expect(server.entries.filter(({ event }) => event === 'personal-token.ended')).toEqual([
      expect.objectContaining({
        who: expect.stringMatching(/^[\w-]{43}$/),
        resource: NOTES,
        reason: 'its owner',
        from: expect.any(String),
        reference: expect.any(String),
        details: { token: id, name: 'laptop' },
      }),
    ]);
  });

  it('a person who has a token and no app ends everything, and the token with it', async () => {
    const id = String(decodeJwt((await create()).jwt ?? '').jti);
    const page = await markup();
    expect(page).toContain(id);
    expect(page).toContain('No app has access to anything on your behalf.');
    expect(page).toContain('action="/account/end-all-access"');
    const body = new URLSearchParams({ token: tokenIn(page) });
    const done = await browser.visit('/account/end-all-access', { method: 'POST', body });
    expect(done.status).toBe(200);
    const { who } = server.entries.find(({ event }) => event === 'personal-token.made') ?? {};
    expect(server.entries).toContainEqual(expect.objectContaining({ event: 'access.ended', reason: 'page', who }));
  });

  it.each(['create-token', 'end-token'])(
    'RFC 9700 §4.7 the form %s is refused from another site, and without the token of the session',
    async (form) => {
      const token = tokenIn(await markup());
      const other = new Browser(server);
      await openPage(other);
      const post = (body: Record<string, string>, headers: Record<string, string> = {}) =>
        browser.visit(`/account/${form}`, { method: 'POST', body: new URLSearchParams(body), headers });
      expect((await post({ token }, { origin: 'https://evil.example' })).status).toBe(403);
      expect((await post({ token }, { 'sec-fetch-site': 'same-site' })).status).toBe(403);
      expect((await post({})).status).toBe(403);
      expect((await post({ token: tokenIn(await markup(other)) })).status).toBe(403);
    },
  );

  it.each([
    ['de', 'Persönliche Token', '7 Tage'],
    ['fr', 'Jetons personnels', '7 jours'],
  ])('the section speaks the language %s', async (language, title, length) => {
    const page = await (await browser.visit('/account', { headers: { 'accept-language': language } })).text();
    expect(page).toContain(title);
    expect(page.replaceAll('\u00a0', ' ')).toContain(length);
  });

  it.each(['off', 'services'])(
    'with PERSONAL_TOKENS=%s people have no such section and no such form',
    async (offered) => {
      await using other = await startServer({ env: { ...env, PERSONAL_TOKENS: offered } });
      const visitor = new Browser(other);
      const page = await (await openPage(visitor)).text();
      expect(page).not.toContain('create-token');
      const body = new URLSearchParams({
        token: tokenIn(page),
        name: 'x',
        resource: NOTES,
        lifetime: '60',
        scope: 'read',
      });
      expect((await visitor.visit('/account/create-token', { method: 'POST', body })).status).toBe(404);
    },
  );
});
