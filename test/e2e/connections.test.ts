/**
 * Proves, in a real Chromium, how a person connects an account for tools: at a link that an app shows, or during a sign-in; that they see
 * and disconnect it by the keyboard alone; and that no page has a barrier (WCAG 2.2). The screenshots are in test/.screenshots.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient, send } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';
import { githubStub, type Upstream } from './github-stub.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const WEB = 'https://app.example/callback';
const folder = mkdtempSync(join(tmpdir(), 'connections-'));
const pair = await generateKeyPair('ES256', { extractable: true });

let github: Upstream;
let stack: Stack;
beforeAll(async () => {
  const ports = await freePorts(3);
  github = await githubStub();
  github.token = { access_token: 'gho_alice', token_type: 'bearer', scope: 'repo,read:org' };
  github.user = { id: 1, login: 'alice-at-github' };
  const policy = join(folder, 'exchange.json');
  const resource = `http://localhost:${ports[0]}/mcp`;
  writeFileSync(policy, JSON.stringify({ clients: [{ client: 'mcp-server', resource, connectors: ['github'] }] }));
  const client = {
    client_id: 'mcp-server',
    grant_types: [EXCHANGE],
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), alg: 'ES256' }] },
  };
  stack = await Stack.start(
    {
      SERVER_NAME: 'Acme Notes',
      BRAND_NAME: 'Acme',
      CLIENTS: JSON.stringify([client]),
      EXCHANGE_POLICY: policy,
      STORAGE_KEYS: Buffer.alloc(32, 7).toString('base64'),
      CONNECTORS: 'development,github',
      CONNECTOR_GITHUB_USE: 'tools',
      CONNECTOR_GITHUB_TOOL_SCOPES: 'repo read:org',
      CONNECTOR_GITHUB_BASE_URL: github.url,
      CONNECTOR_GITHUB_API_URL: `${github.url}/api`,
      CONNECTOR_GITHUB_CLIENT_ID: 'client',
      CONNECTOR_GITHUB_CLIENT_SECRET: 'a secret of the test',
    },
    ports,
  );
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await github?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});
const browser = useBrowser();

/** The link at which a person connects an account, as a tool of the MCP server gets it for the token of an app. */
async function linkFor(person: string): Promise<string> {
  const app = await OAuthClient.register(stack, { client_name: 'Notes' });
  const context = await browser().newContext();
  const code = (await signIn(context, app.authorizationUrl(), person)).searchParams.get('code') ?? '';
  await context.close();
  const token = String((await app.redeem(code)).json.access_token);
  const assertion = new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuer('mcp-server')
    .setSubject('mcp-server')
    .setAudience(stack.authUrl)
    .setIssuedAt()
    .setExpirationTime('1m');
  const body = new URLSearchParams({
    grant_type: EXCHANGE,
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'github',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion.sign(pair.privateKey),
  });
  const { json, text } = await send(`${stack.authUrl}/token`, { method: 'POST', body });
  if (json.error !== 'interaction_required') throw new Error(text);
  return String(json.interaction_uri);
}

/** A page of a person who has signed in to the link. */
async function openLink(link: string, person: string, options?: BrowserContextOptions): Promise<Page> {
  const page = await (await browser().newContext(options)).newPage();
  await page.goto(link);
  await page.getByRole('button', { name: new RegExp(person) }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

async function press(page: Page, name: RegExp): Promise<void> {
  const button = page.getByRole('button', { name });
  await button.waitFor();
  // The form takes nothing for 0.7 s. An animation that is folded away on the page never ends.
  await button.evaluate('(element) => Promise.all(element.getAnimations().map(({ finished }) => finished))');
  for (let tabs = 0; !(await button.evaluate((element) => element.matches(':focus'))); tabs += 1) {
    if (tabs > 30) throw new Error(`the Tab key does not reach ${name}`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

describe('WCAG 2.2 an account for tools in Chromium', () => {
  it('a person connects an account at a link and disconnects it on the account page, by the keyboard alone', async () => {
    const page = await openLink(await linkFor('Alice'), 'Alice');
    await page.getByRole('heading', { name: 'Connect your account at GitHub?' }).waitFor();
    await page.getByText('Read and change your repositories, also the private ones').waitFor();
    expect(await barriersOf(page, 'connect-link')).toEqual([]);
    await press(page, /^Continue with GitHub$/);
    await page.getByRole('heading', { name: 'GitHub is connected' }).waitFor();
    await page.getByText('alice-at-github').waitFor();
    expect(github.asked.at(-1)?.get('scope')).toBe('repo read:org');
    expect(await barriersOf(page, 'connect-done')).toEqual([]);
    await page.reload();
    await page.getByRole('link', { name: 'See your connected accounts' }).click();
    await page.getByRole('heading', { name: 'Connected accounts' }).waitFor();
    expect(await barriersOf(page, 'account-with-a-connection')).toEqual([]);
    await press(page, /^Disconnect GitHub$/);
    await page.getByText('No account is connected.').waitFor();
    expect(new URL(page.url()).pathname).toBe('/account');
    await page.context().close();
  });

  it.each([
    ['de-DE', 'Ihr Konto bei GitHub verbinden?', 'GitHub ist verbunden'],
    ['fr-FR', 'Relier votre compte chez GitHub ?', 'GitHub est relié'],
  ])('the pages have no barrier in the language %s', async (locale, heading, done) => {
    const page = await openLink(await linkFor('Alice'), 'Alice', { locale });
    await page.getByRole('heading', { name: heading.replace(' ?', '\u00a0?') }).waitFor();
    expect(await barriersOf(page, `connect-link-${locale}`)).toEqual([]);
    await press(page, /GitHub$/);
    await page.getByRole('heading', { name: done }).waitFor();
    expect(await barriersOf(page, `connect-done-${locale}`)).toEqual([]);
    await page.goto(`${stack.authUrl}/account`);
    await press(page, /GitHub/);
    // A page that is closed while it navigates can keep the driver waiting.
    await page.getByRole('button', { name: /GitHub/ }).waitFor({ state: 'detached' });
    await page.context().close();
  });

  it('a link of somebody else, one that was used, and a refusal of the upstream have no barrier and connect nothing', async () => {
    const link = await linkFor('Alice');
    const bob = await openLink(link, 'Bob');
    await bob.getByRole('heading', { name: 'This link is for another account' }).waitFor();
    expect(await barriersOf(bob, 'connect-other-person')).toEqual([]);
    await bob.getByRole('link', { name: 'Use another account' }).click();
    await bob.getByRole('button', { name: /Alice/ }).click();
    github.token = { error: 'access_denied' };
    await press(bob, /^Continue with GitHub$/);
    await bob.getByText('Nothing was connected').waitFor();
    expect(await barriersOf(bob, 'connect-refused')).toEqual([]);
    github.token = { access_token: 'gho_alice', token_type: 'bearer', scope: 'repo,read:org' };
    await bob.goto(link);
    await bob.getByText('This link can’t be used any more').waitFor();
    expect(await barriersOf(bob, 'connect-over')).toEqual([]);
    const another = await linkFor('Alice');
    await bob.goto(another);
    await press(bob, /^Cancel$/);
    await bob.getByRole('heading', { name: 'Nothing was connected' }).waitFor();
    expect(await barriersOf(bob, 'connect-cancelled')).toEqual([]);
    await bob.context().close();
  });

  it('the scope upstream:<connector> leads through the upstream during a sign-in, and its page has no barrier', async () => {
    const app = await OAuthClient.register(stack, { client_name: 'Notes', redirect_uris: [WEB] });
    const page = await (await browser().newContext()).newPage();
    const asked = { scope: 'mcp:tools upstream:github', redirect_uri: WEB };
    await page.goto(app.authorizationUrl(asked).href);
    await page.getByRole('checkbox', { name: 'Use your account at GitHub with tools' }).waitFor();
    expect(await barriersOf(page, 'sign-in-with-an-account')).toEqual([]);
    const called = page.waitForRequest((request) => request.url().startsWith(WEB));
    await page.getByRole('button', { name: /^Continue with/ }).click();
    await page.getByRole('button', { name: /Alice/ }).click();
    const code = new URL((await called).url()).searchParams.get('code') ?? '';
    const { json } = await app.redeem(code, { redirect_uri: WEB });
    expect(json.scope).toBe('mcp:tools upstream:github');
    await page.context().close();
  });
});
