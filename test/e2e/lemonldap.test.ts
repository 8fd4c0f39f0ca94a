/**
 * Proves, in a real Chromium, the whole way of a person at a real OpenID provider that is not ours, LemonLDAP::NG: from `configure` to
 * a tool call, a disabled account, a refusal by the rules, and the logout there.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { useBrowser } from '../support/browser.ts';
import { ClientState } from '../support/client-state.ts';
import { drivers } from '../support/drivers.ts';
import { type Answer, OAuthClient, REDIRECT_URI, type Tokens } from '../support/oauth-client.ts';
import { ROOT, Stack } from '../support/stack.ts';
import { hasLemonLdap, LemonLdap, NEEDS_LEMONLDAP, PEOPLE, type Uid } from './lemonldap.ts';
import { CLIENT } from './lemonldap-configuration.ts';

const LONG = { timeout: 60_000, interval: 250 };

describe('LemonLDAP::NG as the identity provider', () => {
  let provider: LemonLdap;
  let stack: Stack;
  let configured: ReturnType<typeof configure>;

  beforeAll(async () => {
    if (!hasLemonLdap) return;
    const ports = await freePorts(3);
    const authUrl = `http://localhost:${ports[1]}`;
    provider = await LemonLdap.start(`${authUrl}/callback/acme`);
    configured = configure(authUrl, CLIENT.secret);
    const recheck = { UPSTREAM_RECHECK: '1s', UPSTREAM_GRACE: '1s' };
    stack = await Stack.start({ ...configured.env, ...recheck, TOKEN_CLAIMS: 'name,email,groups' }, ports);
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await provider?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasLemonLdap, NEEDS_LEMONLDAP));
  const browser = useBrowser();

  /** Runs the command as an operator without a terminal does, but in a folder of its own: it writes .env there. */
  function configure(authUrl: string, secret: string) {
    const options = {
      provider: 'oidc',
      id: 'acme',
      'server-url': authUrl,
      issuer: provider.url,
      'client-id': CLIENT.id,
      'offline-access': 'consent',
      allow: 'group:staff',
    };
    const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const folder = mkdtempSync(join(tmpdir(), 'configure-'));
    try {
      const program = join(ROOT, 'auth-server/src/main.ts');
      const env = { PATH: process.env.PATH, CONNECTOR_ACME_CLIENT_SECRET: secret };
      const { status, stdout } = spawnSync(process.execPath, [program, 'configure', ...words], {
        cwd: folder,
        env,
        encoding: 'utf8',
      });
      return { status, stdout, env: parseEnv(readFileSync(join(folder, '.env'), 'utf8')) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  const findings = (stdout: string) => stdout.match(/^[✓✗]/gm)?.join('');

  /** Goes from the page of this server to the consent page there, and signs in if it asks. */
  async function toConsent(page: Page, uid: Uid): Promise<Locator> {
    await page.getByRole('button', { name: /^Continue with/ }).click();
    const user = page.locator('[name=user]');
    const accept = page.getByRole('button', { name: 'Accept' });
    await user.or(accept).waitFor();
    if (await user.isVisible()) {
      await user.fill(uid);
      await page.locator('[name=password]').fill(PEOPLE[uid].password);
      await page.getByRole('button', { name: 'Connect' }).click();
      await page.getByText('Access your account while you are offline').waitFor();
    }
    return accept;
  }
  const signInThere = async (page: Page, uid: Uid) => (await toConsent(page, uid)).click();

  /** What the client gets. It must be called before the last click. */
  function answered(page: Page): Promise<URL> {
    const answer = page
      .waitForRequest((request) => request.url().startsWith(REDIRECT_URI))
      .then((request) => new URL(request.url()));
    answer.catch(() => {});
    return answer;
  }

  async function signedIn(context: BrowserContext, uid: Uid): Promise<Session> {
    const client = await OAuthClient.register(stack);
    const page = await context.newPage();
    const answer = answered(page);
    await page.goto(client.authorizationUrl().href);
    await signInThere(page, uid);
    const { status, json, text } = await client.redeem((await answer).searchParams.get('code') ?? '');
    expect(status, text).toBe(200);
    await page.close();
    return { client, refreshToken: (json as unknown as Tokens).refresh_token };
  }

  async function refresh(session: Session): Promise<Answer> {
    const answer = await session.client.refresh(session.refreshToken);
    if (answer.status === 200) session.refreshToken = String(answer.json.refresh_token);
    return answer;
  }

  it('configure without a terminal finds the provider, its login page and the client, and writes .env', () => {
    const { status, stdout, env } = configured;
    expect([findings(stdout), status], stdout).toEqual(['✓✓✓', 0]);
    expect(env).toMatchObject({ CONNECTOR_ACME_ISSUER: provider.url, CONNECTOR_ACME_ALLOW: 'group:staff' });
  });

  it('RFC 6749 §5.2 configure reports a wrong client secret', () => {
    const { status, stdout } = configure(stack.authUrl, 'another-secret');
    expect([findings(stdout), status], stdout).toEqual(['✓✓✗', 1]);
  });

  it('a person signs in and consents there, and a real MCP client calls whoami', async () => {
    const driver = drivers.at(-1) ?? expect.unreachable();
    const url = new URL(stack.mcpUrl + driver.path);
    const state = new ClientState(REDIRECT_URI);
    await expect(driver.connect(url, state)).rejects.toSatisfy(driver.isUnauthorized);
    const context = await browser().newContext();
    const page = await context.newPage();
    const answer = answered(page);
    await page.goto(state.takeAuthorizationUrl().href);
    await signInThere(page, 'alice');
    await driver.finish(url, state, await answer);
    const client = await driver.connect(url, state);
    const { structured } = await client.call('whoami', {});
    expect(structured).toMatchObject({ name: 'Alice', email: 'alice@example.com', groups: ['staff'] });
    await client.close();
    await context.close();
  });

  it('UPSTREAM_RECHECK, UPSTREAM_GRACE a disabled account gets no tokens any more, and another person goes on', async () => {
    const contexts = await Promise.all([browser().newContext(), browser().newContext()]);
    const alice = await signedIn(contexts[0], 'alice');
    const bob = await signedIn(contexts[1], 'bob');
    try {
      provider.enable('bob', false);
      await expect.poll(async () => (await refresh(bob)).status, LONG).toBe(400);
      expect((await refresh(bob)).json).toMatchObject({ error: 'invalid_grant' });
      expect(stack.run.output).toMatch(/outcome=ended reason=the upstream answered invalid_grant to the refresh token/);
      expect((await refresh(alice)).status).toBe(200);
    } finally {
      provider.enable('bob', true);
    }
    const again = await signedIn(contexts[1], 'bob');
    expect((await refresh(again)).status).toBe(200);
    await Promise.all(contexts.map((context) => context.close()));
  });

  it('OpenID Connect Core §5.3 a person who leaves the group loses access at the next re-check, and can get it back', async () => {
    const context = await browser().newContext();
    const alice = await signedIn(context, 'alice');
    try {
      provider.move('alice', 'guests');
      await expect.poll(async () => (await refresh(alice)).status, LONG).toBe(400);
    } finally {
      provider.move('alice', 'staff');
    }
    await expect.poll(async () => (await refresh(alice)).status, LONG).toBe(200);
    await context.close();
  });

  it('OpenID Connect Core §3.1.2.6 a person who refuses there is back at the client with access_denied', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const answer = answered(page);
    await page.goto((await OAuthClient.register(stack)).authorizationUrl().href);
    await toConsent(page, 'alice');
    await page.getByRole('button', { name: 'Refuse' }).click();
    expect((await answer).searchParams.get('error')).toBe('access_denied');
    await context.close();
  });

  it('RFC 6749 §4.1.2.1 a person outside the group sees who was refused, and the client gets access_denied', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    const client = await OAuthClient.register(stack);
    await page.goto(client.authorizationUrl().href);
    await signInThere(page, 'carol');
    await page.getByRole('heading', { name: 'This account has no access' }).waitFor();
    expect(await page.getByRole('main').innerText()).toContain(PEOPLE.carol.mail);
    expect(await barriersOf(page, 'refused-lemonldap')).toEqual([]);
    const answer = answered(page);
    await page.getByRole('link', { name: 'Return to the app without access' }).click();
    expect((await answer).searchParams.get('error')).toBe('access_denied');
    await context.close();
  });

  it('OpenID Connect RP-Initiated Logout 1.0 §2 a person signs out here and there, and their client goes on', async () => {
    const context = await browser().newContext();
    const session = await signedIn(context, 'alice');
    const page = await context.newPage();
    await page.goto(`${stack.authUrl}/logout`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: /^Sign out at .* as well$/ }).click();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.locator('[name=user]').waitFor();
    await page.goto(session.client.authorizationUrl().href);
    await page.getByRole('button', { name: /^Continue with/ }).click();
    await page.locator('[name=password]').waitFor();
    expect((await refresh(session)).status).toBe(200);
    await context.close();
  });
});

/** A client with the tokens of one person; every refresh takes over the new refresh token. */
interface Session {
  readonly client: OAuthClient;
  refreshToken: string;
}
