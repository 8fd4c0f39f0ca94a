/**
 * Proves, in a real Chromium, that people sign in at LemonLDAP::NG and Glewlwyd, which we did not write, and that SDK clients then call
 * tools at mcp-server alone; and which settings there and here that takes.
 */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { decodeJwt } from 'jose';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { ClientState } from '../support/client-state.ts';
import { type Driver, drivers } from '../support/drivers.ts';
import { GLEWLWYD, LEMONLDAP } from '../support/issuer-settings.ts';
import { McpSession, REDIRECT_URI } from '../support/oauth-client.ts';
import { ResourceServer } from '../support/resource-server.ts';
import { ALICE, CLIENT as GLEWLWYD_CLIENT, Glewlwyd, hasGlewlwyd, NEEDS_GLEWLWYD } from './glewlwyd.ts';
import { hasLemonLdap, LemonLdap, NEEDS_LEMONLDAP, PEOPLE } from './lemonldap.ts';
import { CLIENT } from './lemonldap-configuration.ts';

/** The clients at /mcp, one of each SDK. */
const clients = drivers.filter(({ path }) => path === '/mcp');

const driver = clients.at(-1) ?? expect.unreachable('no client');

/** A client that the operator of the issuer registered. */
function registered(id: string, issuer: string): ClientState {
  const state = new ClientState(REDIRECT_URI);
  state.stored.client = { client_id: id, issuer };
  return state;
}

/** Clients read the metadata of the issuer at mcp-server, and each that registers there gets this client. */
const here = (clientId: string) => ({
  ISSUER_METADATA: 'here',
  ISSUER_CLIENT_ID: clientId,
  ISSUER_CLIENT_REDIRECT_URIS: REDIRECT_URI,
});

/** Does what a person does at an authorization URL, up to the consent that is remembered there. @returns the answer to the client */
async function walk(page: Page, url: URL, signIn: (page: Page) => Promise<void>, consent: string): Promise<URL> {
  const answer = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI));
  answer.catch(() => {});
  await page.goto(url.href);
  await signIn(page);
  const agreed = page.getByRole('button', { name: consent }).click();
  await Promise.race([answer, agreed]);
  agreed.catch(() => {});
  return new URL((await answer).url());
}

describe('LemonLDAP::NG instead of auth-server', () => {
  let issuer: LemonLdap;
  let server: ResourceServer;

  beforeAll(async () => {
    if (!hasLemonLdap) return;
    const [port = 0] = await freePorts(1);
    issuer = await LemonLdap.start(REDIRECT_URI, {
      options: { Public: 1, AccessTokenJWT: 1, AdditionalAudiences: `http://localhost:${port}/mcp` },
      scopeRules: { 'mcp:tools': '1', 'mcp:admin': "$requested and $uid eq 'alice'" },
    });
    server = await ResourceServer.start(settings(), port);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasLemonLdap, NEEDS_LEMONLDAP));
  const browser = useBrowser();

  const settings = () => ({ ISSUER: issuer.url, ...LEMONLDAP });

  async function signIn(page: Page): Promise<void> {
    await page.locator('[name=user]').fill('alice');
    await page.locator('[name=password]').fill(PEOPLE.alice.password);
    await page.getByRole('button', { name: 'Connect' }).click();
  }

  /** @returns what `whoami` says; the tokens are in the state */
  async function signedIn(driver: Driver, state: ClientState, at = server): Promise<unknown> {
    const context = await browser().newContext();
    const page = await context.newPage();
    try {
      return await at.signedIn(driver, state, (url) => walk(page, url, signIn, 'Accept'));
    } finally {
      await context.close();
    }
  }

  it.each(clients)('$name signs in at LemonLDAP::NG and calls whoami', async (driver) => {
    const said = await signedIn(driver, registered(CLIENT.id, issuer.url));
    expect(said).toMatchObject({ subject: 'alice', client: CLIENT.id, scopes: ['mcp:tools', 'openid'] });
  });

  it.each(clients)(
    'RFC 7591 §3 $name, which registers itself, signs in at LemonLDAP::NG by metadata from here',
    async (driver) => {
      const dropped = { ...here(CLIENT.id), ISSUER_RESOURCE_PARAMETER: 'drop', AUDIENCES: `${server.url}/mcp` };
      await using own = await ResourceServer.start({ ...settings(), ...dropped });
      const said = await signedIn(driver, new ClientState(REDIRECT_URI), own);
      expect(said).toMatchObject({ subject: 'alice', client: CLIENT.id, issuer: issuer.url });
    },
  );

  it('OpenID Connect Core §2 the id token of LemonLDAP::NG is refused, although it has the audience of the server', async () => {
    const state = registered(CLIENT.id, issuer.url);
    await signedIn(driver, state);
    const { id_token: token = '' } = state.stored.tokens ?? {};
    expect(decodeJwt(token).aud).toContain(`${server.url}/mcp`);
    const { answer, line } = await server.refusal(token);
    expect([answer.status, line.reason]).toEqual([401, 'not_an_access_token']);
  });

  it('RFC 8707 §2 a token of LemonLDAP::NG for one server is refused by another', async () => {
    const state = registered(CLIENT.id, issuer.url);
    await signedIn(driver, state);
    await using other = await ResourceServer.start(settings());
    const { answer, line } = await other.refusal(state.stored.tokens?.access_token ?? '');
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'wrong_audience', setting: 'AUDIENCES' });
  });

  it('LemonLDAP::NG as it is by default gives opaque tokens, which are refused as such', async () => {
    await using plain = await LemonLdap.start(REDIRECT_URI, { options: { Public: 1 } });
    await using own = await ResourceServer.start({ ISSUER: plain.url, ...LEMONLDAP });
    const state = registered(CLIENT.id, plain.url);
    await expect(signedIn(driver, state, own)).rejects.toSatisfy(driver.isUnauthorized);
    const { line } = await own.refusal(state.stored.tokens?.access_token ?? '');
    expect(line).toMatchObject({ status: 401, reason: 'malformed' });
  });

  it('RFC 6750 §3.1 a tool that needs more says so with the scope openid, without which LemonLDAP::NG refuses', async () => {
    const state = registered(CLIENT.id, issuer.url);
    await signedIn(driver, state);
    const session = await McpSession.open(`${server.url}/mcp`, state.stored.tokens?.access_token ?? '');
    const { status, headers } = await session.call('server_status', {});
    expect(status).toBe(403);
    expect(headers.get('www-authenticate')).toContain('scope="mcp:admin openid"');
  });
});

const CLIENT_OF_PEOPLE = { confidential: false, redirect_uri: [REDIRECT_URI], token_endpoint_auth_method: ['none'] };

describe('Glewlwyd instead of auth-server', () => {
  let issuer: Glewlwyd;
  let server: ResourceServer;
  /** Of a second server that Glewlwyd knows. */
  let otherPort: number;

  beforeAll(async () => {
    if (!hasGlewlwyd) return;
    const [port = 0, other = 0] = await freePorts(2);
    otherPort = other;
    issuer = await Glewlwyd.start('', {
      plugin: {
        'allow-non-oidc': true,
        'resource-allowed': true,
        'resource-scope': { 'mcp:tools': [port, other].map((one) => `http://localhost:${one}/mcp`) },
        'resource-change-allowed': false,
      },
      client: CLIENT_OF_PEOPLE,
      scopes: ['mcp:tools'],
    });
    server = await ResourceServer.start({ ISSUER: issuer.issuer, ...GLEWLWYD }, port);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await issuer?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasGlewlwyd, NEEDS_GLEWLWYD));
  const browser = useBrowser();

  async function signIn(page: Page): Promise<void> {
    await page.locator('#username').fill(ALICE.username);
    await page.locator('#password').fill(ALICE.password);
    await page.getByRole('button', { name: 'OK' }).click();
    // It asks once for each scope that is not `openid`.
    const scope = page.getByRole('checkbox');
    await scope.or(page.getByRole('button', { name: 'Continue' })).waitFor();
    if (!(await scope.isVisible())) return;
    await scope.check();
    await page.getByRole('button', { name: 'Grant access' }).click();
  }

  /** @returns what `whoami` says; the tokens are in the state */
  async function signedIn(driver: Driver, state: ClientState, at = server): Promise<unknown> {
    const context = await browser().newContext();
    const page = await context.newPage();
    try {
      return await at.signedIn(driver, state, (url) => walk(page, url, signIn, 'Continue'));
    } finally {
      await context.close();
    }
  }

  it.each(clients)('$name signs in at Glewlwyd and calls whoami', async (driver) => {
    const said = await signedIn(driver, registered(GLEWLWYD_CLIENT.id, issuer.issuer));
    expect(said).toMatchObject({ client: GLEWLWYD_CLIENT.id, scopes: ['mcp:tools'], issuer: issuer.issuer });
  });

  it.each(clients)(
    'RFC 7591 §3 $name, which registers itself, signs in at Glewlwyd by metadata from here',
    async (driver) => {
      const settings = { ISSUER: issuer.issuer, ...GLEWLWYD, ...here(GLEWLWYD_CLIENT.id) };
      await using own = await ResourceServer.start(settings, otherPort);
      const said = await signedIn(driver, new ClientState(REDIRECT_URI), own);
      expect(said).toMatchObject({ client: GLEWLWYD_CLIENT.id, scopes: ['mcp:tools'], issuer: issuer.issuer });
    },
  );

  it('RFC 8707 §2 a token of Glewlwyd for one server is refused by another', async () => {
    const state = registered(GLEWLWYD_CLIENT.id, issuer.issuer);
    await signedIn(driver, state);
    await using other = await ResourceServer.start({ ISSUER: issuer.issuer, ...GLEWLWYD });
    const { answer, line } = await other.refusal(state.stored.tokens?.access_token ?? '');
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'wrong_audience', found: `${server.url}/mcp`, setting: 'AUDIENCES' });
  });

  it('RFC 8707 §2 Glewlwyd as it is by default ignores the resource, and its tokens are refused', async () => {
    const more = { plugin: { 'allow-non-oidc': true }, client: CLIENT_OF_PEOPLE, scopes: ['mcp:tools'] };
    await using plain = await Glewlwyd.start('', more);
    await using own = await ResourceServer.start({ ISSUER: plain.issuer, ...GLEWLWYD });
    const state = registered(GLEWLWYD_CLIENT.id, plain.issuer);
    // The client gets further tokens by itself, which are not better.
    await expect(signedIn(driver, state, own)).rejects.toThrow('401');
    const { line } = await own.refusal(state.stored.tokens?.access_token ?? '');
    expect(line).toMatchObject({ status: 401, reason: 'wrong_audience', found: 'mcp:tools' });
  });

  it('RFC 9068 §2.1 the id token of Glewlwyd is refused by its type', async () => {
    const state = registered(GLEWLWYD_CLIENT.id, issuer.issuer);
    const url = new URL(`${server.url}/mcp`);
    await driver.stepUp(url, state, 'openid mcp:tools');
    const asked = state.takeAuthorizationUrl();
    // With `openid` it demands a nonce, which MCP clients do not send.
    asked.searchParams.set('nonce', 'of-this-test');
    const context = await browser().newContext();
    const page = await context.newPage();
    await driver.finish(url, state, await walk(page, asked, signIn, 'Continue'));
    await context.close();
    const { answer, line } = await server.refusal(state.stored.tokens?.id_token ?? '');
    expect(answer.status).toBe(401);
    expect(line).toMatchObject({ reason: 'wrong_type', found: 'JWT', setting: 'TOKEN_TYPES' });
  });
});
