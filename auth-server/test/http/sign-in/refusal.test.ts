/** Proves what happens to a person who may not come in: at the sign-in, with a live session, and at a refresh. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, describe, expect, it } from 'vitest';
import type { BeginOptions } from '../../../src/federation/connector.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, tokensFor } from '../../support/client.ts';
import { read, startServer } from '../../support/running-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'refusal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ALICE = 'email:alice@acme.example';

describe('a person who may not come in', () => {
  it('RFC 6749 §4.1.2.1 a page says so, and its button takes access_denied to the client', async () => {
    await using server = await startServer({ env: { PEOPLE_ALLOW: ALICE } });
    const browser = new Browser(server);
    const client = await register(server);
    const first = await browser.follow(authorizePath(client));
    const { page } = await browser.signIn(first.page, 'mallory');
    expect(page?.status).toBe(403);
    const markup = (await page?.text()) ?? '';
    expect(markup).toContain('This account has no access');
    expect(markup).toContain('mallory@acme.example');
    expect(markup).not.toContain('alice');
    const [, finish = ''] = /href="([^"]+\/finish)"/.exec(markup) ?? [];
    expect(page?.headers.get('refresh')).toBe(`10; url=${finish}`);
    const { outside } = await browser.follow(finish);
    expect(Object.fromEntries(outside?.searchParams ?? [])).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('may not use this server'),
      state: 'the-state',
      iss: server.issuer,
    });
    const line = server.log.find(({ msg }) => msg === 'person refused');
    expect(line).toMatchObject({ connector: 'acme', reason: 'no rule allows this person' });
    expect(JSON.stringify(server.log)).not.toContain('mallory@');
  });

  it.each([
    ['en', 'If you have another account that is admitted, use that one. Otherwise ask @the operator of this server@.'],
    [
      'de',
      'Wenn Sie ein anderes Konto haben, das zugelassen ist, verwenden Sie dieses. Wenden Sie sich sonst an @den Betreiber dieses Servers@.',
    ],
    [
      'fr',
      'Si vous avez un autre compte qui est admis, utilisez-le. Sinon, adressez-vous à @l’opérateur de ce serveur@.',
    ],
  ])(
    'the page says in the language %s how to go on, and links SUPPORT_URL where it says whom to ask',
    async (language, sentence) => {
      const pageWith = async (env: Readonly<Record<string, string>>) => {
        await using server = await startServer({ env: { PEOPLE_ALLOW: ALICE, ...env } });
        const browser = new Browser(server);
        const { page } = await browser.follow(authorizePath(await register(server)));
        const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
        const state = outside?.searchParams.get('state') ?? '';
        const headers = { 'accept-language': language };
        const refused = await browser.visit(`/callback/acme?${new URLSearchParams({ state, code: 'mallory' })}`, {
          headers,
        });
        return refused.text();
      };
      const [before, operator, after] = sentence.split('@');
      const link = `<a rel="noreferrer" href="mailto:help@acme.example">${operator}</a>`;
      expect(await pageWith({ SUPPORT_URL: 'mailto:help@acme.example' })).toContain(`<p>${before}${link}${after}</p>`);
      expect(await pageWith({})).toContain(`<p>${before}${operator}${after}</p>`);
    },
  );

  it('nothing is kept of a person who is refused', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    const written: string[] = [];
    const watched = {
      ...store,
      put: (...of: Parameters<typeof store.put>) => {
        written.push(JSON.stringify(of));
        return store.put(...of);
      },
    };
    await using server = await startServer({ env: { PEOPLE_ALLOW: ALICE }, store: watched });
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(await register(server)));
    await browser.signIn(page, 'mallory');
    expect(written.join()).not.toContain('mallory');
    expect(written.join()).not.toContain('"Account"');
  });

  it('another account can be chosen, and the upstream is asked to offer it', async () => {
    const asked: (BeginOptions | undefined)[] = [];
    await using server = await startServer({
      env: { PEOPLE_ALLOW: ALICE },
      connectors: (acme) => [
        {
          ...acme,
          connector: {
            ...acme.connector,
            begin: (checks, options) => {
              asked.push(options);
              return acme.connector.begin(checks);
            },
          },
        },
      ],
    });
    const browser = new Browser(server);
    const first = await browser.follow(authorizePath(await register(server)));
    const { page } = await browser.signIn(first.page, 'mallory');
    const [, again = ''] = /href="([^"]+\?account=other)"/.exec((await page?.text()) ?? '') ?? [];
    const shown = (await browser.follow(again)).page;
    expect(await shown?.clone().text()).toContain('name="account" value="other"');
    const { outside: upstream } = await browser.submit(shown, 'approve', { connector: 'acme', account: 'other' });
    expect(asked).toEqual([{ selectAccount: false }, { selectAccount: true }]);
    const state = upstream?.searchParams.get('state') ?? '';
    const { outside } = await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
    expect(outside?.searchParams.get('code')).toBeTruthy();
  });

  it('RFC 6749 §5.2 rules are evaluated at every refresh, for the person concerned only', async () => {
    const path = join(folder, 'people');
    writeFileSync(path, 'email:alice@acme.example\nemail:bob@acme.example\n');
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { PEOPLE_ALLOW: `file:${path}` }, clock });
    const client = await register(server);
    const of = async (person: string) => {
      const { code } = await authorize(server, client, {}, { person });
      return read(await redeem(server, client, code));
    };
    const [alice, bob] = [await of('alice'), await of('bob')];
    writeFileSync(path, 'email:alice@acme.example\n');
    clock.advance(3);
    const refused = await refresh(server, client, bob.refresh_token);
    expect([refused.status, await read(refused)]).toEqual([
      400,
      { error: 'invalid_grant', error_description: expect.stringContaining('may not use this server') },
    ]);
    expect((await refresh(server, client, alice.refresh_token)).status).toBe(200);
    // The mistake of an operator signs nobody out for good.
    writeFileSync(path, 'domain:acme.example\n');
    clock.advance(3);
    expect((await refresh(server, client, bob.refresh_token)).status).toBe(200);
  });

  it('RFC 6749 §5.2 a denial that is newer than the sign-in asks for a new sign-in, which then decides', async () => {
    const path = join(folder, 'denied');
    writeFileSync(path, 'subject:nobody');
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { PEOPLE_ALLOW: 'anyone', PEOPLE_DENY: `file:${path}` }, clock });
    const client = await register(server);
    const { refresh_token } = await tokensFor(server, client);
    writeFileSync(path, 'group:contractors');
    clock.advance(3);
    const refused = await refresh(server, client, refresh_token);
    expect([refused.status, await read(refused)]).toEqual([
      400,
      {
        error: 'invalid_grant',
        error_description: 'The rules have changed since this user signed in. Sign in again.',
      },
    ]);
    const again = await tokensFor(server, client);
    expect((await refresh(server, client, again.refresh_token)).status).toBe(200);
  });

  it('a code is not redeemed for a person who was shut out meanwhile', async () => {
    const path = join(folder, 'codes');
    writeFileSync(path, 'anyone');
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { PEOPLE_ALLOW: `file:${path}` }, clock });
    const client = await register(server);
    const { code } = await authorize(server, client);
    writeFileSync(path, 'subject:nobody');
    clock.advance(3);
    expect(await read(await redeem(server, client, code))).toMatchObject({ error: 'invalid_grant' });
  });

  it('OpenID Connect Core §3.1.2.1 a live session of a person who was shut out is not used', async () => {
    const path = join(folder, 'sessions');
    writeFileSync(path, 'anyone');
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { PEOPLE_ALLOW: `file:${path}` }, clock });
    const client = await register(server);
    const browser = new Browser(server);
    await authorize(server, client, {}, { browser });
    writeFileSync(path, 'subject:nobody');
    clock.advance(3);
    const silent = await browser.follow(authorizePath(client, { prompt: 'none' }));
    expect(silent.outside?.searchParams.get('error')).toBe('login_required');
    const { page } = await browser.follow(authorizePath(client));
    expect(await page?.text()).not.toContain('alice@acme.example');
  });
});

describe('SCOPE_RULES', () => {
  const RESOURCES = JSON.stringify([
    { url: 'http://localhost:8080', scopes: { 'mcp:tools': '', 'mcp:admin': '', 'mcp:audit': '' } },
  ]);
  const env = { RESOURCES, SCOPE_RULES: 'mcp:admin=email:alice@acme.example' };
  const scope = 'mcp:tools mcp:admin mcp:audit';

  it('RFC 6749 §5.1 a scope that the person may not have is dropped from the grant and told in the answer', async () => {
    await using server = await startServer({ env });
    const client = await register(server);
    expect((await tokensFor(server, client, { scope })).scope).toBe('mcp:tools mcp:admin');
    const { code } = await authorize(server, client, { scope }, { person: 'bob' });
    const tokens = await read(await redeem(server, client, code));
    expect(tokens.scope).toBe('mcp:tools');
    expect((await read(await refresh(server, client, tokens.refresh_token))).scope).toBe('mcp:tools');
  });

  it('a scope that the person may not have is not offered on the page, and a remembered approval still counts', async () => {
    await using server = await startServer({ env });
    const client = await register(server);
    const browser = new Browser(server);
    await authorize(server, client, { scope: 'mcp:tools' }, { person: 'bob', browser });
    const all = await browser.follow(authorizePath(client, { scope }));
    expect(all.outside?.searchParams.get('code'), 'nothing new is granted, so nobody is asked').toBeTruthy();
    const { page } = await browser.follow(authorizePath(client, { scope, prompt: 'consent' }));
    const markup = (await page?.text()) ?? '';
    expect(markup).not.toContain('mcp:audit');
    expect(markup).not.toContain('mcp:admin');
  });

  it('RFC 6749 §4.1.2.1 a person who may have none of the scopes gets access_denied', async () => {
    await using server = await startServer({ env });
    const client = await register(server);
    const { answer } = await authorize(server, client, { scope: 'mcp:audit' });
    expect(answer.searchParams.get('error')).toBe('access_denied');
  });

  it('a scope is dropped at the next refresh when its rule no longer names the person', async () => {
    const path = join(folder, 'admins');
    writeFileSync(path, ALICE);
    const clock = new FakeClock(Date.now());
    await using server = await startServer({ env: { RESOURCES, SCOPE_RULES: `mcp:*=file:${path}` }, clock });
    const client = await register(server);
    const tokens = await tokensFor(server, client, { scope });
    expect(tokens.scope).toBe(scope);
    writeFileSync(path, '# nobody');
    clock.advance(3);
    const refreshed = await read(await refresh(server, client, tokens.refresh_token));
    expect(refreshed.scope).toBe('mcp:tools');
  });
});
