/**
 * Proves that an access token says about its person what the operator chose and the person approved (RFC 9068 §2.2.2, §2.2.3.1, §5),
 * and that nothing else says it.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../../../src/federation/connector.ts';
import type { OpenConnector } from '../../../src/federation/registry.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { form, ISSUER, type RunningServer, read, startServer } from '../../support/running-server.ts';
import { createSteppedStore, type SteppedStore } from '../../support/stepped-store.ts';

const ALL = 'name,username,email,groups,roles,org';
const PERSON = {
  name: 'Alice Example',
  username: 'alice',
  email: 'alice@acme.example',
  memberships: { group: ['ops', 'staff'], role: ['admin'], org: ['acme'] },
};
const SAID = {
  name: 'Alice Example',
  preferred_username: 'alice',
  email: 'alice@acme.example',
  groups: ['ops', 'staff'],
  roles: ['admin'],
  org: 'acme',
};

let steps: SteppedStore;
/** The person as the upstream describes them now. */
let person: Partial<Identity>;
let server: RunningServer | undefined;
let browser: Browser;

const upstream = (acme: OpenConnector): OpenConnector => ({
  ...acme,
  connector: {
    ...acme.connector,
    finish: async (answer) => {
      const subject = answer.searchParams.get('code') ?? '';
      return { identity: { issuer: 'https://acme.example', subject, ...person } };
    },
  },
});

/** Starts the server, or restarts it with other settings on the same records. */
async function start(env: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  await server?.[Symbol.asyncDispose]();
  server = await startServer({
    env,
    store: { ...steps.store, close: async () => {} },
    connectors: (acme) => [upstream(acme)],
  });
  return server;
}

beforeEach(() => {
  steps = createSteppedStore(createSqliteStore(':memory:', systemClock));
  person = PERSON;
  const now = () => server as RunningServer;
  // The same browser after a restart.
  browser = new Browser({
    issuer: ISSUER,
    url: (target: string) => now().url(target),
    fetch: (path: string, init?: RequestInit) => now().fetch(path, init),
  } as RunningServer);
});
afterEach(async () => {
  await server?.[Symbol.asyncDispose]();
  server = undefined;
});

const REGISTERED = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id', 'scope', 'status'];

/** The claims of a token beyond those that every token has. */
const said = (token: unknown) =>
  Object.fromEntries(Object.entries(decodeJwt(String(token))).filter(([name]) => !REGISTERED.includes(name)));

type Parameters = Readonly<Record<string, string>>;

/** Signs in and redeems, in the browser of the test. */
async function signIn(at: RunningServer, client: TestClient, parameters: Parameters = {}, visitor = browser) {
  const { code } = await authorize(at, client, { scope: 'mcp:tools', ...parameters }, { browser: visitor });
  return read(await redeem(at, client, code));
}

async function page(client: TestClient, parameters: Parameters = {}) {
  const { page: shown, outside } = await browser.follow(authorizePath(client, { scope: 'mcp:tools', ...parameters }));
  return { shown, isCode: outside?.searchParams.has('code') === true };
}

const items = async (shown: Response | undefined) =>
  [...((await shown?.clone().text()) ?? '').matchAll(/<li>(Your [^<]+)<\/li>/g)].map(([, item]) => item);

describe('RFC 9068 §2.2.2 the access token of a person', () => {
  it('a token says nothing about the person but the subject, unless TOKEN_CLAIMS says so', async () => {
    const at = await start();
    const client = await register(at);
    expect(await items((await page(client)).shown)).toEqual([]);
    expect(said((await signIn(at, client)).access_token)).toEqual({});
  });

  it('§2.2.3.1 a token says what TOKEN_CLAIMS names, the page tells it, and an id token says nothing of it', async () => {
    const at = await start({ TOKEN_CLAIMS: ALL });
    const client = await register(at);
    const { shown } = await page(client);
    expect(await items(shown)).toEqual([
      'Your name',
      'Your user name',
      'Your e-mail address',
      'Your groups',
      'Your roles',
      'Your organisation',
    ]);
    const tokens = await signIn(at, client, { scope: 'openid mcp:tools' });
    expect(said(tokens.access_token)).toEqual(SAID);
    expect(Object.keys(said(tokens.id_token))).not.toEqual(expect.arrayContaining(['name']));
    expect(JSON.stringify(said(tokens.id_token))).not.toMatch(/Alice|acme|ops|admin/);
  });

  it('an organisation with a name and an id is one, and the token has its name', async () => {
    const at = await start({ TOKEN_CLAIMS: 'org' });
    person = { memberships: { org: ['acme', 'org_9ybs'] }, organizations: [{ id: 'org_9ybs', name: 'acme' }] };
    expect(said((await signIn(at, await register(at))).access_token)).toEqual({ org: 'acme' });
  });

  it('a token leaves out what is not known of the person, an address that is not verified, and one of several organisations', async () => {
    const at = await start({ TOKEN_CLAIMS: ALL });
    const memberships = { org: ['acme', 'globex'], group: [], role: ['admin'] };
    person = { unverifiedEmail: 'victim@acme.example', memberships, incomplete: { role: 'no answer' } };
    expect(said((await signIn(at, await register(at))).access_token)).toEqual({ groups: [] });
    expect(at.log.filter(({ claim }) => claim)).toMatchObject([{ level: 'warn', claim: 'roles', reason: 'no answer' }]);
  });

  it('a claim never replaces a claim of the protocol, whatever the person is called', async () => {
    const at = await start({ TOKEN_CLAIMS: 'name' });
    person = { name: '","sub":"mallory' };
    const { sub, name } = decodeJwt(String((await signIn(at, await register(at))).access_token));
    expect([sub, name]).toEqual([expect.stringMatching(/^[\w-]{43}$/), '","sub":"mallory']);
  });

  it('RFC 6749 §4.4 the token of a machine client has no person to say anything about', async () => {
    const clients = [
      { client_id: 'job', client_secret: 'a-secret-of-the-nightly-job', grant_types: ['client_credentials'] },
    ];
    const at = await start({ TOKEN_CLAIMS: ALL, CLIENTS: JSON.stringify(clients) });
    const headers = { authorization: `Basic ${btoa('job:a-secret-of-the-nightly-job')}` };
    const answer = await at.fetch('/token', { ...form({ grant_type: 'client_credentials' }), headers });
    expect(said((await read(answer)).access_token)).toEqual({});
  });

  it('RFC 8707 §2 claims of RESOURCES replace TOKEN_CLAIMS for one resource, under each of its identifiers', async () => {
    const notes = 'http://localhost:8090';
    const resources = [
      { url: 'http://localhost:8080' },
      { url: notes, claims: ['email'] },
      { url: 'http://localhost:8070', claims: [] },
    ];
    const at = await start({ TOKEN_CLAIMS: 'name', RESOURCES: JSON.stringify(resources) });
    const client = await register(at);
    const saidTo = async (resource: string) => said((await signIn(at, client, { resource })).access_token);
    expect(await saidTo('http://localhost:8080/mcp')).toEqual({ name: SAID.name });
    expect(await saidTo(`${notes}/sse`)).toEqual({ email: SAID.email });
    expect(await saidTo(`${notes}/mcp/`)).toEqual({ email: SAID.email });
    expect(await saidTo('http://localhost:8070')).toEqual({});
  });
});

describe('a claim that the operator adds', () => {
  it('RFC 9700 §4.10 a person who approved before is asked again, and an earlier grant does not say the new claim before', async () => {
    const first = await start({ TOKEN_CLAIMS: 'name' });
    const client = await register(first);
    const tokens = await signIn(first, client);
    expect((await page(client)).isCode).toBe(true);

    const second = await start({ TOKEN_CLAIMS: 'name,email' });
    const before = await read(await refresh(second, client, tokens.refresh_token));
    expect(said(before.access_token)).toEqual({ name: SAID.name });
    const { shown } = await page(client);
    expect(await items(shown)).toEqual(['Your name', 'Your e-mail address']);
    expect(
      (await browser.follow(authorizePath(client, { scope: 'mcp:tools', prompt: 'none' }))).outside?.search,
    ).toContain('consent_required');

    expect((await browser.submit(shown, 'approve')).outside?.searchParams.has('code')).toBe(true);
    const after = await read(await refresh(second, client, before.refresh_token));
    expect(said(after.access_token)).toEqual({ name: SAID.name, email: SAID.email });
    expect((await page(client)).isCode).toBe(true);
  });

  it('RFC 9700 §4.10 an approval from before there were claims stays good without them, and says none of them', async () => {
    const first = await start();
    const client = await register(first);
    const tokens = await signIn(first, client);
    expect((await page(client)).isCode).toBe(true);
    const second = await start({ TOKEN_CLAIMS: ALL });
    expect(said((await read(await refresh(second, client, tokens.refresh_token))).access_token)).toEqual({});
    expect((await page(client)).isCode).toBe(false);
    await start();
    expect((await page(client)).isCode).toBe(true);
  });

  it('RFC 9700 §4.7 a form that was shown before the claim was added approves nothing', async () => {
    const first = await start({ TOKEN_CLAIMS: 'name' });
    const client = await register(first);
    const { shown } = await page(client);
    await start({ TOKEN_CLAIMS: 'name,email' });
    expect((await browser.submit(shown, 'approve', { connector: 'acme' })).page?.status).toBe(403);
  });

  it('a claim that the operator takes away asks nobody and is no longer said', async () => {
    const first = await start({ TOKEN_CLAIMS: 'name,email' });
    const client = await register(first);
    const tokens = await signIn(first, client);
    const second = await start({ TOKEN_CLAIMS: 'name' });
    expect((await page(client)).isCode).toBe(true);
    expect(said((await read(await refresh(second, client, tokens.refresh_token))).access_token)).toEqual({
      name: SAID.name,
    });
  });

  it('RFC 8707 §2 a claim approved for one resource is not said to another', async () => {
    const both = (claims: readonly string[]) =>
      JSON.stringify([
        { url: 'http://localhost:8080', claims },
        { url: 'http://localhost:8090', claims: ['name'] },
      ]);
    const first = await start({ RESOURCES: both([]) });
    const client = await register(first);
    const tokens = await signIn(first, client, { resource: 'http://localhost:8080/mcp' });
    await signIn(first, client, { resource: 'http://localhost:8090/mcp' });
    const second = await start({ RESOURCES: both(['name']) });
    expect(said((await read(await refresh(second, client, tokens.refresh_token))).access_token)).toEqual({});
  });
});

describe('a token is renewed', () => {
  it('RFC 6749 §6 a refresh says the newest name that the upstream gave, in the account of the person', async () => {
    const at = await start({ TOKEN_CLAIMS: 'name' });
    const client = await register(at);
    const tokens = await signIn(at, client);
    person = { ...PERSON, name: 'Alice Married' };
    await signIn(at, await register(at), {}, new Browser(at));
    expect(said((await read(await refresh(at, client, tokens.refresh_token))).access_token)).toEqual({
      name: 'Alice Married',
    });
  });

  it('RFC 6749 §6 claims cost a refresh and a code exchange no call of the store', async () => {
    const calls = async (env: Readonly<Record<string, string>>) => {
      const at = await start(env);
      const client = await register(at);
      const { code } = await authorize(at, client, { scope: 'mcp:tools' });
      let token: unknown;
      const redeemed = await steps.count(async () => {
        token = (await read(await redeem(at, client, code))).refresh_token;
      });
      return [redeemed, await steps.count(() => refresh(at, client, token))];
    };
    expect(await calls({ TOKEN_CLAIMS: ALL })).toEqual(await calls({}));
  });
});

describe('MAX_TOKEN_CLAIMS_SIZE', () => {
  it('a claim that does not fit is left out whole, and the log names it, its size and the setting, and nothing of its content', async () => {
    const at = await start({ TOKEN_CLAIMS: ALL, MAX_TOKEN_CLAIMS_SIZE: '256' });
    person = { ...PERSON, memberships: { group: Array.from({ length: 40 }, (_, n) => `group-${n}`), role: ['admin'] } };
    const { access_token } = await signIn(at, await register(at));
    expect(Object.keys(said(access_token)).sort()).toEqual(['email', 'name', 'preferred_username', 'roles']);
    const warnings = at.log.filter(({ setting }) => setting === 'MAX_TOKEN_CLAIMS_SIZE');
    expect(warnings).toMatchObject([{ level: 'warn', claim: 'groups', reason: 'too large', size: 442, limit: 256 }]);
    expect(JSON.stringify(at.log)).not.toMatch(/group-3|Alice Example/);
  });
});
