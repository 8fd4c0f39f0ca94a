/**
 * Proves that a person of several organisations chooses one, and that tokens of the grant name that one only (RFC 9068 §2.2.3.1; the
 * claim `org`).
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

const ENV = {
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_ISSUER: 'https://acme.example',
  CONNECTOR_ACME_CLIENT_ID: 'auth-server',
  CONNECTOR_ACME_CLIENT_SECRET: 'development-only-secret',
  CONNECTOR_ACME_ORG_CLAIM: 'tenants',
  TOKEN_CLAIMS: 'org',
};

/** The claim of the person at the upstream now. */
let tenants: unknown;
let server: RunningServer;
let browser: Browser;
let client: TestClient;

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  server = await startServer({
    env: { ...ENV, ...env },
    store: createSqliteStore(':memory:', systemClock),
    connectors: (acme) => [
      {
        ...acme,
        connector: {
          ...acme.connector,
          finish: async (answer) => {
            const subject = answer.searchParams.get('code') ?? '';
            return { identity: { issuer: 'https://acme.example', subject, claims: { tenants } } };
          },
        },
      },
    ],
  });
  browser = new Browser(server);
  client = await register(server);
}

beforeEach(async () => {
  tenants = ['red', 'blue'];
  await start();
});
afterEach(() => server[Symbol.asyncDispose]());

interface Step {
  readonly page?: Response;
  readonly outside?: URL;
}

/** To the page after the upstream, or back to the client. */
async function signIn(parameters: Readonly<Record<string, string>> = {}): Promise<Step> {
  const { page } = await browser.follow(authorizePath(client, parameters));
  return browser.signIn(page, 'alice');
}

/** Submits the page with the organisations. */
async function choose(
  { page }: Step,
  organisation: string,
  change: Readonly<Record<string, string>> = {},
): Promise<Step> {
  const markup = (await page?.clone().text()) ?? '';
  const [, action = ''] = /action="([^"]+\/organisation)"/.exec(markup) ?? [];
  const [, token = ''] = /name="token" value="([^"]+)"/.exec(markup) ?? [];
  return browser.follow(action, { ...form({ token, organisation, ...change }) });
}

const optionsOf = async ({ page }: Step) =>
  [...((await page?.clone().text()) ?? '').matchAll(/<option value="([^"]*)">/g)].map(([, name]) => name);

async function tokensFor({ outside }: Step) {
  return read(await redeem(server, client, outside?.searchParams.get('code') ?? ''));
}
const orgOf = ({ access_token: token }: Readonly<Record<string, unknown>>) => decodeJwt(String(token)).org;

describe('a person of several organisations', () => {
  it('the person chooses one after the upstream, and the token names that one', async () => {
    const step = await signIn();
    expect(await optionsOf(step)).toEqual(['red', 'blue']);
    const tokens = await tokensFor(await choose(step, 'blue'));
    expect(orgOf(tokens)).toBe('blue');
    expect(orgOf(await read(await refresh(server, client, tokens.refresh_token)))).toBe('blue');
  });

  it('a person of one organisation is not asked, and the token names it', async () => {
    tenants = 'red';
    expect(orgOf(await tokensFor(await signIn()))).toBe('red');
  });

  it('a person of none is not asked, and the token names none', async () => {
    tenants = undefined;
    expect(orgOf(await tokensFor(await signIn()))).toBeUndefined();
  });

  it('the choice is remembered with the approval, and a session can change it when the page is shown', async () => {
    await choose(await signIn(), 'blue');
    const again = await browser.follow(authorizePath(client));
    expect(orgOf(await tokensFor(again))).toBe('blue');
    const { page } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    const step = await browser.submit(page, 'approve');
    expect(await optionsOf(step)).toEqual(['red', 'blue']);
    expect(orgOf(await tokensFor(await choose(step, 'red')))).toBe('red');
  });

  it('without the claim in tokens nobody is asked', async () => {
    await server[Symbol.asyncDispose]();
    await start({ TOKEN_CLAIMS: 'name' });
    expect((await signIn()).outside?.searchParams.has('code')).toBe(true);
  });
});

describe('RFC 6749 §10.3 a swapped organisation', () => {
  it('another choice does not change what the tokens of the earlier one name', async () => {
    const blue = await tokensFor(await choose(await signIn(), 'blue'));
    const { page } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    await choose(await browser.submit(page, 'approve'), 'red');
    expect(orgOf(await read(await refresh(server, client, blue.refresh_token)))).toBe('blue');
  });

  it('an organisation that the person has left is named no more, and another one is never put in its place', async () => {
    const blue = await tokensFor(await choose(await signIn(), 'blue'));
    tenants = ['red'];
    const other = new Browser(server);
    const { page } = await other.follow(authorizePath(client));
    await other.signIn(page, 'alice');
    expect(orgOf(await read(await refresh(server, client, blue.refresh_token)))).toBeUndefined();
    expect((await browser.follow(authorizePath(client))).page?.status).toBe(200);
  });

  it('RFC 9700 §4.7 an organisation of somebody else, or a form of another page, chooses nothing', async () => {
    const step = await signIn();
    for (const [organisation, change, status] of [
      ['green', {}, 400],
      ['', {}, 400],
      ['blue', { token: 'forged' }, 403],
      ['blue', { token: '' }, 403],
    ] as const) {
      expect((await choose(step, organisation, change)).page?.status).toBe(status);
    }
    expect(orgOf(await tokensFor(await choose(step, 'blue')))).toBe('blue');
    expect((await choose(step, 'red')).page?.status).toBe(400);
  });

  it('a choice without a sign-in chooses nothing', async () => {
    const { page } = await browser.follow(authorizePath(client));
    const markup = (await page?.text()) ?? '';
    const [, path = ''] = /action="([^"]+)\/approve"/.exec(markup) ?? [];
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(markup) ?? [];
    const answer = await browser.visit(`${path}/organisation`, form({ token, organisation: 'blue' }));
    expect(answer.status).toBe(403);
  });

  it('a form of another site chooses nothing', async () => {
    const step = await signIn();
    const [, action = ''] = /action="([^"]+\/organisation)"/.exec((await step.page?.clone().text()) ?? '') ?? [];
    const sent = form({ organisation: 'blue' });
    const headers = { ...(sent.headers as object), origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    expect((await browser.visit(action, { ...sent, headers })).status).toBe(403);
  });
});

describe('rules about organisations', () => {
  it('org: rules are about the claim that the operator named', async () => {
    await server[Symbol.asyncDispose]();
    await start({ CONNECTOR_ACME_ALLOW: 'org:blue' });
    expect(await optionsOf(await signIn())).toEqual(['red', 'blue']);
    tenants = ['red'];
    browser = new Browser(server);
    expect((await signIn()).page?.status).toBe(403);
  });
});
