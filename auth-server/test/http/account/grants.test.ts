/**
 * Proves what a person sees of the apps that they connected, that they can end each and all, and that nobody ends what belongs to
 * somebody else.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, redeem, refresh, register, type TestClient, WEB } from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import { codesFor, registerDevice, startWithDevices, Visitor } from '../../support/device.ts';
import { openPage, tokenIn } from '../../support/page-visitor.ts';
import { type RunningServer, read, startServer } from '../../support/running-server.ts';

const OIDC = {
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'auth-server',
  CONNECTOR_ACME_CLIENT_SECRET: 'development-only-secret',
};

interface Connected {
  readonly client: TestClient;
  readonly refreshToken: unknown;
}

/** An app that a person has connected in a browser of its own. */
async function connect(server: RunningServer, person = 'alice', name = 'Notes', scope?: string): Promise<Connected> {
  const client = await register(server, undefined, { client_name: name });
  const { code } = await authorize(server, client, { scope }, { person });
  return { client, refreshToken: (await read(await redeem(server, client, code))).refresh_token };
}

const idsIn = (markup: string): readonly string[] =>
  [...markup.matchAll(/name="id" value="([^"]+)"/g)].map(([, id = '']) => id);

const post = async (browser: Browser, form: string, fields: Readonly<Record<string, string>> = {}) => {
  const token = tokenIn(await (await browser.visit('/account')).text());
  return browser.visit(`/account/${form}`, { method: 'POST', body: new URLSearchParams({ token, ...fields }) });
};

const goesOn = async (server: RunningServer, { client, refreshToken }: Connected): Promise<boolean> =>
  (await refresh(server, client, refreshToken)).status === 200;

describe('the connected apps on the account page', () => {
  it('the page names the app, its origin, its scopes in words, where it was approved, and its times in UTC', async () => {
    const clock = new FakeClock();
    await using server = await startServer({ clock, store: createSqliteStore(':memory:', clock) });
    const notes = await connect(server, 'alice', '<b>Notes</b>', 'mcp:tools mcp:admin');
    clock.advance(3_600);
    const used = Math.floor(clock.now() / 1000) * 1000;
    expect(await goesOn(server, notes)).toBe(true);
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain('<bdi>&lt;b&gt;Notes&lt;/b&gt;</bdi>');
    expect(markup).toContain('<span class="tag">unverified</span> The app chose this name itself.');
    expect(markup).toContain('See the status of this server');
    expect(markup).toContain('<dt>Connected from</dt><dd>a browser</dd>');
    const times = [...markup.matchAll(/<time datetime="([^"]+)">([^<]+)</g)];
    expect(times.map(([, iso = '']) => Date.parse(iso))).toEqual([expect.any(Number), used, expect.any(Number)]);
    for (const [, , text] of times) expect(text).toMatch(/ UTC$/);
    expect(markup).toContain('“last used” is the last time');
  });

  it('the page shows an app of the operator as known, and one that is no longer stored by what is left of it', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    const portal = { client_id: 'portal', client_name: 'Portal', redirect_uris: [WEB] };
    await using server = await startServer({
      store,
      env: { CLIENTS: JSON.stringify([{ ...portal, token_endpoint_auth_method: 'none' }]) },
    });
    await authorize(server, { id: 'portal', redirectUri: WEB });
    const { client } = await connect(server);
    await store.delete('Client', client.id);
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain('<span class="tag">known</span> The operator of this server added this app.');
    expect(markup).toContain('End the access of <bdi>Portal</bdi>');
    expect(markup).toContain('End the access of <bdi>an app that is no longer registered</bdi>');
  });

  it('the page shows the host that publishes a client, and asks that host for nothing', async () => {
    trustTestCertificate();
    await using host = await ClientHost.start();
    await using server = await startServer({ env: { CLIENT_METADATA_PRIVATE_HOSTS: host.name } });
    await authorize(server, { id: host.publish(), redirectUri: WEB });
    const asked = host.seen.length;
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain(`<dt>Published by</dt><dd><strong><bdi>${host.name}</bdi></strong></dd>`);
    expect(markup).toContain('<span class="tag">unverified</span>');
    expect(host.seen.length).toBe(asked);
  });

  it('the page names the organisation for which the person approved the app', async () => {
    const tenants = ['blue & <b>red</b>'];
    await using server = await startServer({
      env: { ...OIDC, CONNECTOR_ACME_ORG_CLAIM: 'tenants', TOKEN_CLAIMS: 'org' },
      store: createSqliteStore(':memory:', systemClock),
      connectors: (acme) => [
        {
          ...acme,
          connector: {
            ...acme.connector,
            finish: async () => ({
              identity: { issuer: 'https://acme.example', subject: 'alice', claims: { tenants } },
            }),
          },
        },
      ],
    });
    await connect(server);
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain('<dt>Organisation</dt><dd><bdi>blue &amp; &lt;b&gt;red&lt;/b&gt;</bdi></dd>');
  });

  it('RFC 8628 §3.3 the page says that an app was approved for a device', async () => {
    await using server = await startWithDevices();
    const device = await registerDevice(server);
    await new Visitor(server).approve((await codesFor(server, device)).user_code);
    const markup = await (await openPage(new Browser(server))).text();
    expect(markup).toContain('<dt>Connected from</dt><dd>a device that showed a code</dd>');
    expect(markup).toContain('End the access of <bdi>Terminal</bdi>');
  });

  it('a person sees what they connected themselves, and nothing of others', async () => {
    await using server = await startServer();
    await connect(server, 'alice', 'Of Alice');
    await connect(server, 'bob', 'Of Bob');
    const markup = await (await openPage(new Browser(server), '/account', 'bob')).text();
    expect(markup).toContain('Of Bob');
    expect(markup).not.toContain('Of Alice');
    const nobody = await (await openPage(new Browser(server), '/account', 'carol')).text();
    expect(nobody).toContain('No app has access to anything on your behalf.');
  });

  it('a long list is shown in pages', async () => {
    await using server = await startServer();
    const browser = new Browser(server);
    await openPage(browser);
    const clients = await Promise.all(
      Array.from({ length: 101 }, (_, n) => register(server, undefined, { client_name: `App ${n}` })),
    );
    for (const client of clients) await authorize(server, client, {}, { browser: new Browser(server) });
    const first = await (await browser.visit('/account')).text();
    const [, more = ''] = /href="([^"]*\?after=[^"]*)"/.exec(first) ?? [];
    const second = await (await browser.visit(`${server.issuer}${more.replaceAll('&amp;', '&')}`)).text();
    expect([idsIn(first).length, idsIn(second).length]).toEqual([100, 1]);
    expect((await browser.visit('/account?after=nonsense')).status).toBe(400);
  });
});

describe('ending an access on the account page', () => {
  it('the access of one app ends, and no other', async () => {
    await using server = await startServer();
    const [notes, mail] = [await connect(server, 'alice', 'Notes'), await connect(server, 'alice', 'Mail')];
    const browser = new Browser(server);
    const markup = await (await openPage(browser)).text();
    const [, id = ''] =
      /name="id" value="([^"]+)">\s*<button class="quiet">End the access of <bdi>Notes/.exec(markup) ?? [];
    const done = await post(browser, 'end-access', { id });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/account']);
    const after = await (await browser.visit('/account')).text();
    expect([after.includes('Notes'), after.includes('Mail')]).toEqual([false, true]);
    expect([await goesOn(server, notes), await goesOn(server, mail)]).toEqual([false, true]);
  });

  it('somebody else’s grant gets the answer of an unknown one and of one that has ended, and goes on', async () => {
    await using server = await startServer();
    const ofBob = await connect(server, 'bob');
    await connect(server, 'alice');
    const bob = await (await openPage(new Browser(server), '/account', 'bob')).text();
    const alice = new Browser(server);
    const [own = ''] = idsIn(await (await openPage(alice)).text());
    const [foreign = ''] = idsIn(bob);
    const answers = [];
    for (const id of [own, own, foreign, 'unknown', '', 'x'.repeat(1_000), '__proto__']) {
      const answer = await post(alice, 'end-access', { id });
      answers.push([answer.status, answer.headers.get('location'), await answer.text()]);
    }
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.[0]).toBe(303);
    expect(await goesOn(server, ofBob)).toBe(true);
  });

  it('a form that is sent twice at once ends the access once, and both get the same answer', async () => {
    await using server = await startServer();
    const notes = await connect(server);
    const browser = new Browser(server);
    const markup = await (await openPage(browser)).text();
    const body = () => new URLSearchParams({ token: tokenIn(markup), id: idsIn(markup)[0] ?? '' });
    const send = () => browser.visit('/account/end-access', { method: 'POST', body: body() });
    const statuses = (await Promise.all([send(), send(), send()])).map(({ status }) => status);
    expect(statuses).toEqual([303, 303, 303]);
    expect(await goesOn(server, notes)).toBe(false);
  });

  it('the access of every app ends with the sessions of all browsers, and nothing of somebody else', async () => {
    await using server = await startServer();
    const [notes, mail] = [await connect(server, 'alice', 'Notes'), await connect(server, 'alice', 'Mail')];
    const ofBob = await connect(server, 'bob');
    const [here, there] = [new Browser(server), new Browser(server)];
    await openPage(here);
    await openPage(there);
    const done = await post(here, 'end-all-access');
    expect([done.status, await done.text()]).toEqual([
      200,
      expect.stringContaining('No app has access on your behalf'),
    ]);
    expect([await goesOn(server, notes), await goesOn(server, mail), await goesOn(server, ofBob)]).toEqual([
      false,
      false,
      true,
    ]);
    expect([(await here.visit('/account')).status, (await there.visit('/account')).status]).toEqual([303, 303]);
  });

  it('a session that ended leads to a sign-in, and the access goes on', async () => {
    const clock = new FakeClock();
    await using server = await startServer({ clock, store: createSqliteStore(':memory:', clock) });
    const notes = await connect(server);
    const browser = new Browser(server);
    const markup = await (await openPage(browser)).text();
    clock.advance(1_801);
    for (const form of ['end-access', 'end-all-access']) {
      const body = new URLSearchParams({ token: tokenIn(markup), id: idsIn(markup)[0] ?? '' });
      const late = await browser.visit(`/account/${form}`, { method: 'POST', body });
      expect(late.headers.get('location')).toBe('/sign-in?to=%2Faccount');
    }
    await openPage(browser);
    expect(await goesOn(server, notes)).toBe(true);
  });
});
