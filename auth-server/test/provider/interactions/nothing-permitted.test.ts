/** Proves what a client gets that asks only for scopes which the person may not have (RFC 6749 §4.1.2.1), with a live session. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import {
  authorize,
  authorizePath,
  NATIVE,
  redeem,
  refresh,
  register,
  type TestClient,
  WEB,
} from '../../support/client.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

const RESOURCES = JSON.stringify([
  { url: 'http://localhost:8080', scopes: { 'mcp:tools': '', 'mcp:admin': 'Administer everything' } },
]);

const DENIED = {
  error: 'access_denied',
  error_description: 'This account may not have any of the requested scopes. Ask the operator of this server.',
  state: 'the-state',
  iss: 'http://localhost:9000',
};

let folder: string;
let admins: string;
let clock: FakeClock;
let server: RunningServer;
let browser: Browser;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scopes-'));
  admins = join(folder, 'admins');
  writeFileSync(admins, 'email:alice@acme.example');
  clock = new FakeClock(Date.now());
  server = await startServer({ env: { RESOURCES, SCOPE_RULES: `mcp:admin=file:${admins}` }, clock });
  browser = new Browser(server);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Bob has a session here, and has approved the base scope for the client. */
async function approvedBase(redirectUri: string): Promise<TestClient> {
  const client = await register(server, redirectUri);
  await authorize(server, client, { scope: 'mcp:tools' }, { person: 'bob', browser });
  return client;
}

/** A client that Bob has never seen; he has a session here. */
async function newClient(redirectUri: string): Promise<TestClient> {
  await approvedBase(redirectUri);
  return register(server, redirectUri);
}

/** What the client gets, at once or by the link of the page. */
async function answerTo(path: string): Promise<Record<string, string>> {
  const { page, outside } = await browser.follow(path);
  if (outside) return Object.fromEntries(outside.searchParams);
  const markup = (await page?.text()) ?? '';
  expect(markup).toContain('This account may not have what the app asks for');
  const [, link = ''] = /href="(https:\/\/app\.example\/[^"]+)"/.exec(markup) ?? [];
  return Object.fromEntries(new URL(link.replaceAll('&amp;', '&')).searchParams);
}

const push = async (client: TestClient, parameters: Readonly<Record<string, string>>): Promise<string> => {
  const [, query] = authorizePath(client, parameters).split('?');
  const answer = await server.fetch('/par', form(Object.fromEntries(new URLSearchParams(query))));
  const { request_uri } = await read(answer);
  return `/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(request_uri) })}`;
};

describe('a request of which the person may have nothing', () => {
  it.each([
    ['mcp:admin', NATIVE],
    ['mcp:admin', WEB],
    ['openid mcp:admin', NATIVE],
    ['openid mcp:admin', WEB],
  ])(
    'RFC 6749 §4.1.2.1 %s is answered to %s with access_denied, and no page offers other scopes',
    async (scope, to) => {
      const fresh = await newClient(to);
      expect(await answerTo(authorizePath(fresh, { scope }))).toEqual(DENIED);
      const known = await approvedBase(to);
      expect(await answerTo(authorizePath(known, { scope }))).toEqual(DENIED);
      expect(await answerTo(authorizePath(known, { scope, prompt: 'consent' }))).toEqual(DENIED);
    },
  );

  it.each([NATIVE, WEB])('OpenID Connect Core §3.1.2.6 prompt=none gets an error and no code at %s', async (to) => {
    for (const client of [await newClient(to), await approvedBase(to)]) {
      for (const scope of ['mcp:admin', 'openid mcp:admin']) {
        const { outside } = await browser.follow(authorizePath(client, { scope, prompt: 'none' }));
        expect(Object.fromEntries(outside?.searchParams ?? [])).toEqual(DENIED);
      }
    }
  });

  it.each([NATIVE, WEB])('RFC 9126 §4 a pushed request gets the same answer at %s', async (to) => {
    const client = await approvedBase(to);
    for (const parameters of [{}, { prompt: 'none' }, { prompt: 'consent' }]) {
      const path = await push(client, { scope: 'openid mcp:admin', ...parameters });
      expect(await answerTo(path)).toEqual(DENIED);
    }
  });

  it('an approval from before a rule changed is not remembered for it, and its tokens keep what is left', async () => {
    writeFileSync(admins, 'anyone');
    clock.advance(3);
    const client = await register(server, WEB);
    const scope = 'openid mcp:tools mcp:admin';
    const { code } = await authorize(server, client, { scope }, { person: 'bob', browser });
    const tokens = await read(await redeem(server, client, code));
    writeFileSync(admins, '# nobody');
    clock.advance(3);
    expect((await read(await refresh(server, client, tokens.refresh_token))).scope).not.toContain('mcp:admin');
    expect(await answerTo(authorizePath(client, { scope: 'openid mcp:admin' }))).toEqual(DENIED);
    const { outside } = await browser.follow(authorizePath(client, { scope }));
    expect(outside?.searchParams.get('code')).toBeTruthy();
  });

  it('a rule that changes while the page is open ends in access_denied, and the page no longer offers the account', async () => {
    writeFileSync(admins, 'anyone');
    clock.advance(3);
    const client = await newClient(WEB);
    const { page } = await browser.follow(authorizePath(client, { scope: 'openid mcp:admin' }));
    const stale = page?.clone();
    writeFileSync(admins, '# nobody');
    clock.advance(3);
    // The rules are read again when somebody is decided on.
    await authorize(server, client, { scope: 'mcp:tools' }, { person: 'bob' });
    const [, path = ''] = /action="([^"]+)\/approve"/.exec((await page?.text()) ?? '') ?? [];
    expect((await browser.submit(stale, 'approve')).page?.status, 'the page is out of date').toBe(403);
    const again = (await browser.follow(path)).page;
    expect(await again?.clone().text()).not.toContain('bob@acme.example');
    const { outside } = await browser.signIn(again, 'bob');
    expect(Object.fromEntries(outside?.searchParams ?? [])).toEqual(DENIED);
  });

  it('OpenID Connect Core §3.1.2.1 prompt=select_account lets another account approve it', async () => {
    const client = await approvedBase(WEB);
    const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:admin', prompt: 'select_account' }));
    const markup = (await page?.clone().text()) ?? '';
    expect(markup).toContain('Administer everything');
    expect(markup).not.toContain('bob@acme.example');
    const { outside } = await browser.signIn(page, 'alice');
    const tokens = await read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
    expect(tokens.scope).toBe('mcp:admin');
  });
});
