/**
 * Proves that a remembered approval is valid for exactly what the page showed (RFC 9700 §4.10; OpenID Connect Core
 * §3.1.2.4): anything new is asked again.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, type TestClient, WEB } from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import { form, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

trustTestCertificate();
const OTHER = 'https://second.example/callback';
const RESOURCES = 'http://localhost:8080,http://localhost:8090';

let host: ClientHost;
let clock: FakeClock;
let store: RecordStore;
let server: RunningServer;
let browser: Browser;
beforeEach(async () => {
  host = await ClientHost.start();
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  const env = { REGISTRATION_MANAGEMENT: 'true', CLIENT_METADATA_PRIVATE_HOSTS: host.name, RESOURCES };
  server = await startServer({ env, clock, store });
  browser = new Browser(server);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

interface Registered extends TestClient {
  /** RFC 7592 §2.2: replaces all metadata. */
  update(metadata: object): Promise<number>;
}

const METADATA = { client_name: 'App', token_endpoint_auth_method: 'none', redirect_uris: [WEB, OTHER] };

async function register(metadata: object = {}): Promise<Registered> {
  const body = await read(await server.fetch('/register', json({ ...METADATA, ...metadata })));
  const id = String(body.client_id);
  const headers = { authorization: `Bearer ${body.registration_access_token}` };
  return {
    id,
    redirectUri: WEB,
    update: async (change) => {
      const sent = { ...json({ client_id: id, ...METADATA, ...change }, headers), method: 'PUT' };
      return (await server.fetch(String(body.registration_client_uri), sent)).status;
    },
  };
}

/** The answer to a request of the same browser: the page, or the redirect to the client. */
async function ask(client: TestClient, parameters: Readonly<Record<string, string>> = {}) {
  const { page, outside } = await browser.follow(authorizePath(client, { scope: 'mcp:tools', ...parameters }));
  return outside ? (outside.searchParams.get('error') ?? 'code') : page?.status === 200 ? 'page' : page?.status;
}

const approve = (client: TestClient, parameters: Readonly<Record<string, string>> = {}) =>
  authorize(server, client, { scope: 'mcp:tools', ...parameters }, { browser });

describe('a person who approved a client', () => {
  it('a person is asked once about each redirect URI of a client', async () => {
    const client = await register();
    await approve(client);
    expect(await ask(client, { redirect_uri: OTHER })).toBe('page');
    expect(await ask(client)).toBe('code');
    const { page } = await browser.follow(authorizePath(client, { scope: 'mcp:tools', redirect_uri: OTHER }));
    expect((await browser.submit(page, 'approve')).outside?.origin).toBe('https://second.example');
    expect([await ask(client), await ask(client, { redirect_uri: OTHER })]).toEqual(['code', 'code']);
  });

  it('OpenID Connect Core §3.1.2.6 prompt=none for an unapproved redirect URI is consent_required', async () => {
    const client = await register();
    await approve(client);
    expect(await ask(client, { redirect_uri: OTHER, prompt: 'none' })).toBe('consent_required');
    expect(await ask(client, { prompt: 'none' })).toBe('code');
  });

  it('RFC 9126 §4 a person is asked again when another redirect URI comes by a pushed request', async () => {
    const client = await register();
    await approve(client);
    const pushed = async (redirectUri: string) => {
      const { search } = server.url(authorizePath({ ...client, redirectUri }, { scope: 'mcp:tools' }));
      const answer = await read(await server.fetch('/par', form(Object.fromEntries(new URLSearchParams(search)))));
      const { page, outside } = await browser.follow(
        `/authorize?${new URLSearchParams({ client_id: client.id, request_uri: String(answer.request_uri) })}`,
      );
      return outside?.searchParams.has('code') ? 'code' : page?.status === 200 ? 'page' : page?.status;
    };
    expect([await pushed(WEB), await pushed(OTHER)]).toEqual(['code', 'page']);
  });

  it('a person is asked again for another resource, and not for another name of the same resource', async () => {
    const client = await register();
    await approve(client);
    expect(await ask(client, { resource: 'http://localhost:8090/mcp' })).toBe('page');
    expect(await ask(client, { resource: 'http://localhost:8080/sse' })).toBe('code');
  });

  it('RFC 8707 §2 a person is asked once about a spelling of the resource that the grant does not know yet', async () => {
    const client = await register();
    await approve(client);
    const spelled = { resource: 'http://LOCALHOST:8080/mcp/' };
    expect(await ask(client, spelled)).toBe('page');
    await approve(client, spelled);
    expect(await ask(client, spelled)).toBe('code');
  });

  it('scopes approved for one redirect URI are not lent to another', async () => {
    const client = await register();
    await approve(client, { scope: 'mcp:tools mcp:admin' });
    await approve(client, { redirect_uri: OTHER });
    expect(await ask(client, { redirect_uri: OTHER, scope: 'mcp:admin' })).toBe('page');
    expect(await ask(client, { scope: 'mcp:admin' })).toBe('code');
  });

  it('OpenID Connect Core §3.1.2.4 the scope openid approved for one redirect URI is not lent to another', async () => {
    const client = await register();
    await approve(client, { scope: 'openid mcp:tools' });
    await approve(client, { redirect_uri: OTHER });
    expect(await ask(client, { redirect_uri: OTHER, scope: 'openid mcp:tools' })).toBe('page');
    expect(await ask(client, { scope: 'openid mcp:tools' })).toBe('code');
  });

  it('another account is asked again, because it approved nothing', async () => {
    const client = await register();
    await approve(client);
    const { page } = await browser.follow(authorizePath(await register()));
    await browser.signIn(page, 'bob');
    expect(await ask(client)).toBe('page');
  });

  it.each([
    ['client_name', { client_name: 'Another app' }],
    ['client_uri', { client_uri: 'https://another.example' }],
    ['logo_uri', { logo_uri: 'https://another.example/logo.png' }],
    ['redirect_uris', { redirect_uris: [WEB, OTHER, 'https://third.example/callback'] }],
  ])('RFC 7592 §2.2 a person is asked again when the client changed its %s', async (_, change) => {
    const client = await register();
    await approve(client);
    expect(await client.update({})).toBe(200);
    expect(await ask(client)).toBe('code');
    expect(await client.update(change)).toBe(200);
    expect(await ask(client)).toBe('page');
    expect(await client.update({})).toBe(200);
    expect(await ask(client)).toBe('code');
  });

  it('RFC 7592 §2.2 a form shown before the client changed approves nothing', async () => {
    const client = await register();
    const { page } = await browser.follow(authorizePath(client));
    await client.update({ client_name: 'Another app' });
    const answer = await browser.submit(page, 'approve', { connector: 'acme' });
    expect([answer.page?.status, answer.outside]).toEqual([403, undefined]);
  });

  it('RFC 7592 §2.2 a person is asked again when the client changed during the upstream sign-in', async () => {
    const client = await register();
    const { page } = await browser.follow(authorizePath(client));
    const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
    await client.update({ client_name: 'Another app' });
    const state = outside?.searchParams.get('state') ?? '';
    const back = await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: 'alice' })}`);
    expect([back.outside, back.page?.status]).toEqual([undefined, 200]);
    expect(await back.page?.text()).toContain('Another app');
  });

  it('RFC 7592 §2.2 no code and no error goes to a redirect URI that the client removed meanwhile', async () => {
    const removed = { redirect_uris: [OTHER] };
    const begin = async () => {
      const client = await register();
      const { page } = await browser.follow(authorizePath(client));
      const path = new URL(
        /action="([^"]+)\/approve"/.exec((await page?.clone().text()) ?? '')?.[1] ?? '',
        server.issuer,
      );
      return { client, page, path: path.href };
    };
    const shown = await begin();
    await shown.client.update(removed);
    const again = await browser.visit(shown.path);
    expect([again.status, await again.text()]).toEqual([400, expect.stringContaining('removed the address')]);
    for (const action of ['approve', 'deny'] as const) {
      const { outside, page } = await browser.submit(shown.page?.clone(), action, { connector: 'acme' });
      expect([action, outside, page?.status]).toEqual([action, undefined, 400]);
    }
    const away = await begin();
    const { outside } = await browser.submit(away.page, 'approve', { connector: 'acme' });
    await away.client.update(removed);
    const state = outside?.searchParams.get('state') ?? '';
    const back = await browser.follow(`/callback/acme?${new URLSearchParams({ state, error: 'access_denied' })}`);
    expect([back.outside, back.page?.status]).toEqual([undefined, 400]);
  });

  it("draft-ietf-oauth-client-id-metadata-document §5.2 a person is asked again when the client's document changed", async () => {
    const id = host.publish();
    const client = { id, redirectUri: WEB };
    await approve(client);
    expect(await ask(client)).toBe('code');
    host.publish({ redirect_uris: [WEB, OTHER] });
    clock.advance(3_601);
    expect(await ask(client, { redirect_uri: OTHER })).toBe('page');
    expect(await ask(client)).toBe('page');
    expect(await ask(client, { prompt: 'none' })).toBe('consent_required');
  });

  it('RFC 6749 §6 refreshes go on whatever the client changed, because they show no page', async () => {
    const client = await register();
    const { code } = await approve(client);
    const tokens = await read(await redeem(server, client, code));
    await client.update({ client_name: 'Another app' });
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200);
  });

  it('a person may approve two redirect URIs in two tabs at once', async () => {
    const client = await register();
    await approve(await register());
    const tab = (redirectUri: string) =>
      browser.follow(authorizePath({ ...client, redirectUri }, { scope: 'mcp:tools' }));
    const [first, second] = [await tab(WEB), await tab(OTHER)];
    const answers = [await browser.submit(second.page, 'approve'), await browser.submit(first.page, 'approve')];
    expect(answers.map(({ outside }) => [outside?.origin, outside?.searchParams.has('code')])).toEqual([
      ['https://second.example', true],
      ['https://app.example', true],
    ]);
    expect([await ask(client), await ask(client, { redirect_uri: OTHER })]).toEqual(['code', 'code']);
  });
});

describe('a grant written by an earlier version', () => {
  it.each([
    ['no approvals', undefined],
    ['approvals of another shape', 'yes'],
    ['approvals that are null', [null]],
  ])('an old grant with %s asks the person once more, and its refresh tokens go on', async (_, approvals) => {
    const memory = createSqliteStore(':memory:', systemClock);
    let isOld = false;
    const get: RecordStore['get'] = async (kind, id) => {
      const record = await memory.get(kind, id);
      return kind === 'Grant' && isOld && record ? { ...record, value: { ...record.value, approvals } } : record;
    };
    await using running = await startServer({ store: { ...memory, get } });
    const body = await read(await running.fetch('/register', json(METADATA)));
    const client = { id: String(body.client_id), redirectUri: WEB };
    const visitor = new Browser(running);
    const { code } = await authorize(running, client, {}, { browser: visitor });
    const tokens = await read(await redeem(running, client, code));
    isOld = true;
    expect((await refresh(running, client, tokens.refresh_token)).status).toBe(200);
    const { page } = await visitor.follow(authorizePath(client));
    expect(page?.status).toBe(200);
    isOld = false;
    expect((await visitor.submit(page, 'approve')).outside?.searchParams.has('code')).toBe(true);
    expect((await visitor.follow(authorizePath(client))).outside?.searchParams.has('code')).toBe(true);
  });
});
