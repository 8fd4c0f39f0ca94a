/** Proves of acts that other tests of the audit do not begin with: each has its entry, and the end of an access names who started it. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, redeem, register, type TestClient, tokensFor, WEB } from '../support/client.ts';
import { askForCodes, codesFor, registerDevice, startWithDevices, Visitor } from '../support/device.ts';
import { report, startLogoutUpstream } from '../support/logout-upstream.ts';
import { openPage, tokenIn } from '../support/page-visitor.ts';
import { form, json, type RunningServer, read, startServer } from '../support/running-server.ts';
import { provision, scim, setActive, startWithScim } from '../support/scim.ts';

const of = (server: RunningServer, event: string) => server.entries.filter((entry) => entry.event === event);

const PATIENCE = { timeout: 30_000 };

/** What every entry of a request has. */
const REQUEST = { from: expect.any(String), reference: expect.any(String) };

interface Managed extends TestClient {
  readonly uri: string;
  readonly authorization: string;
}

const METADATA = { redirect_uris: [WEB], token_endpoint_auth_method: 'none' };

/** A client that may change its registration (RFC 7592). */
async function registerManaged(server: RunningServer): Promise<Managed> {
  const body = await read(await server.fetch('/register', json(METADATA)));
  const authorization = `Bearer ${body.registration_access_token}`;
  return { id: String(body.client_id), redirectUri: WEB, uri: String(body.registration_client_uri), authorization };
}

describe('the audit entries of acts', () => {
  it('RFC 7644 §3.5.2, §3.6 a deactivation, an activation and a removal by the provider have an entry each', async () => {
    await using server = await startWithScim();
    const id = await provision(server, 'alice');
    expect(of(server, 'person.activated')).toEqual([]);
    await setActive(server, id, false);
    await setActive(server, id, true);
    await scim(server, 'DELETE', `/Users/${id}`);
    const expected = { outcome: 'ok', ...REQUEST, details: { connector: 'acme', user: id } };
    expect(server.entries.filter(({ event }) => event.startsWith('person.'))).toEqual([
      expect.objectContaining({ ...expected, event: 'person.deactivated' }),
      expect.objectContaining({ ...expected, event: 'person.activated' }),
      expect.objectContaining({ ...expected, event: 'person.deactivated', reason: 'removed' }),
    ]);
  });

  it('OpenID Connect Back-Channel Logout §2.7 a sign-out here, everywhere or at the identity provider has an entry', async () => {
    await using upstream = await startLogoutUpstream();
    await using server = await startServer({ connectors: upstream.connectors });
    const browser = new Browser(server);
    await openPage(browser);
    const here = new URLSearchParams({ token: tokenIn(await (await browser.visit('/logout')).text()) });
    await browser.visit('/logout', { method: 'POST', body: here });
    const everywhere = new URLSearchParams({ token: tokenIn(await (await openPage(browser)).text()) });
    await browser.visit('/account/sign-out-everywhere', { method: 'POST', body: everywhere });
    await report(server, await upstream.token({ sub: 'alice' }));
    const entries = of(server, 'person.signed-out');
    expect(entries.map(({ reason }) => reason)).toEqual(['here', 'everywhere', 'upstream']);
    for (const entry of entries) expect(entry).toMatchObject({ outcome: 'ok', ...REQUEST });
    const [signedIn] = of(server, 'sign-in.succeeded');
    expect(entries.slice(0, 2).map(({ who }) => who)).toEqual([signedIn?.who, signedIn?.who]);
  });

  it('RFC 6749 §5.2 a code of a person who was deactivated has an entry when it is refused', async () => {
    await using server = await startWithScim();
    const client = await register(server);
    const { code } = await authorize(server, client);
    await setActive(server, await provision(server, 'alice'), false);
    await redeem(server, client, code);
    const who = of(server, 'sign-in.succeeded')[0]?.who;
    expect(of(server, 'person.refused')).toEqual([expect.objectContaining({ outcome: 'refused', who, ...REQUEST })]);
  });

  it('a sign-in that fails at the identity provider has an entry', async () => {
    await using server = await startServer({
      connectors: (acme) => [
        { ...acme, connector: { ...acme.connector, finish: () => Promise.reject(new Error('no answer')) } },
      ],
    });
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(await register(server)));
    await browser.signIn(page, 'alice');
    expect(of(server, 'sign-in.failed')).toEqual([
      expect.objectContaining({ outcome: 'failed', ...REQUEST, details: { connector: 'acme' } }),
    ]);
  });

  it('RFC 7592 §2.2, §2.3 a change and the removal of a registration have an entry each', async () => {
    await using server = await startServer({ env: { REGISTRATION_MANAGEMENT: 'true' } });
    const { id, uri, authorization } = await registerManaged(server);
    const changed = { ...METADATA, client_id: id, client_name: 'Desk' };
    const put = await server.fetch(uri, { ...json(changed, { authorization }), method: 'PUT' });
    expect(put.status).toBe(200);
    const { registration_access_token: token } = await read(put);
    const renewed = token === undefined ? authorization : `Bearer ${token}`;
    expect((await server.fetch(uri, { method: 'DELETE', headers: { authorization: renewed } })).status).toBe(204);
    for (const event of ['client.changed', 'client.removed'])
      expect(of(server, event)).toEqual([expect.objectContaining({ outcome: 'ok', client: id, ...REQUEST })]);
  });

  it('RFC 8628 §3.1, §3.3 a device code that is issued, one that is refused and one that nobody knows have an entry each', async () => {
    await using server = await startWithDevices();
    const device = await registerDevice(server);
    await codesFor(server, device);
    expect(of(server, 'device.requested')).toEqual([
      expect.objectContaining({ outcome: 'ok', client: device.id, ...REQUEST }),
    ]);
    expect((await askForCodes(server, await register(server))).status).toBe(400);
    await new Visitor(server).enter('BBBB-BBBB');
    const refused = of(server, 'device.refused');
    expect(refused).toHaveLength(2);
    for (const entry of refused)
      expect(entry).toMatchObject({ outcome: 'refused', reason: expect.any(String), ...REQUEST });
  });

  it('a personal token has an entry when its person makes it and when they end it', async () => {
    await using server = await startServer({ env: { PERSONAL_TOKENS: 'on' } });
    const browser = new Browser(server);
    const page = await (await openPage(browser)).text();
    const field = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '';
    const asked = { name: 'laptop', lifetime: '604800', resource: field('resource'), scope: field('scope') };
    const body = new URLSearchParams({ ...asked, request: field('request'), token: tokenIn(page) });
    expect((await browser.visit('/account/create-token', { method: 'POST', body })).status).toBe(200);
    const [made] = of(server, 'personal-token.made');
    expect(made).toMatchObject({ outcome: 'ok', who: of(server, 'sign-in.succeeded')[0]?.who, ...REQUEST });
    const id = String(made?.details?.token);
    const end = new URLSearchParams({ id, token: tokenIn(await (await browser.visit('/account')).text()) });
    await browser.visit('/account/end-token', { method: 'POST', body: end });
    expect(of(server, 'personal-token.ended')).toEqual([
      expect.objectContaining({ who: made?.who, details: expect.objectContaining({ token: id }), ...REQUEST }),
    ]);
  });

  it('RFC 7517 §5 a signing key has an entry when it is published and when it begins to sign', async () => {
    const clock = new FakeClock();
    const env = { KEY_POLL: '1s', KEY_LEAD: '3s', KEY_ROTATION: '1h', DOCUMENT_LIFETIME: '1s' };
    await using server = await startServer({ env, store: createSqliteStore(':memory:', clock), clock });
    clock.advance(3_600);
    await expect.poll(() => of(server, 'key.published'), PATIENCE).toHaveLength(1);
    const { kid } = of(server, 'key.published')[0]?.details ?? {};
    clock.advance(3);
    const signing = () => of(server, 'key.changed').map(({ details }) => details?.kid);
    await expect.poll(signing, PATIENCE).toContain(kid);
  });
});

describe('the audit entry of access that has ended', () => {
  /** The one entry of an ending. */
  const endedBy = (server: RunningServer, reason: string, more: object = {}) =>
    expect(of(server, 'access.ended')).toEqual([expect.objectContaining({ outcome: 'ok', reason, ...more })]);

  it('RFC 7009 §2.1 access.ended names the client that revoked its token', async () => {
    await using server = await startServer();
    const client = await register(server);
    const { refresh_token: token } = await tokensFor(server, client);
    await server.fetch('/revoke', form({ token: String(token), client_id: client.id }));
    endedBy(server, 'client', { client: client.id, ...REQUEST });
  });

  it('RFC 7592 §2.3 access.ended names the client that removed its registration', async () => {
    await using server = await startServer({ env: { REGISTRATION_MANAGEMENT: 'true' } });
    const client = await registerManaged(server);
    await tokensFor(server, client);
    await server.fetch(client.uri, { method: 'DELETE', headers: { authorization: client.authorization } });
    endedBy(server, 'client', { ...REQUEST, details: expect.objectContaining({ target: 'client', grants: 1 }) });
  });

  it('access.ended names the person who ended an app, or everything, on the account page', async () => {
    for (const act of ['end-access', 'end-all-access']) {
      await using server = await startServer();
      await tokensFor(server, await register(server));
      const browser = new Browser(server);
      const page = await (await openPage(browser)).text();
      const [, id = ''] = /name="id" value="([^"]+)"/.exec(page) ?? [];
      const body = new URLSearchParams({ token: tokenIn(page), id });
      const answer = await browser.visit(`/account/${act}`, { method: 'POST', body });
      const reference = answer.headers.get('x-request-id');
      endedBy(server, 'page', { ...REQUEST, reference, who: of(server, 'consent.approved')[0]?.who });
    }
  });

  it('RFC 7644 §3.5.2 access.ended names the identity provider that deactivated the person', async () => {
    await using server = await startWithScim();
    const id = await provision(server, 'alice');
    await tokensFor(server, await register(server));
    await setActive(server, id, false);
    const details = expect.objectContaining({ target: 'person', grants: 1, actor: 'acme' });
    endedBy(server, 'provisioning', { who: of(server, 'consent.approved')[0]?.who, details });
  });

  it('OpenID Connect Back-Channel Logout §2.7 access.ended names the identity provider that reported a logout', async () => {
    await using upstream = await startLogoutUpstream({ logoutEndsApprovals: true });
    await using server = await startServer({ connectors: upstream.connectors });
    const client = await register(server);
    await redeem(server, client, (await authorize(server, client)).code);
    await report(server, await upstream.token({ sub: 'alice' }));
    endedBy(server, 'logout', { ...REQUEST, details: expect.objectContaining({ target: 'person', actor: 'acme' }) });
  });
});
