/**
 * Proves, in a real Chromium, the account page: a person chooses how to sign in, sees what they connected, ends it and signs out by the
 * keyboard alone; and no state of the page has a barrier (WCAG 2.2). The screenshots are in test/.screenshots.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient, postJson } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({
    SERVER_NAME: 'Acme Notes',
    BRAND_NAME: 'Acme',
    CONNECTORS: 'development,github',
    CONNECTOR_GITHUB_CLIENT_ID: 'client',
    CONNECTOR_GITHUB_CLIENT_SECRET: 'a secret that is not used',
  });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

const ACCOUNT = '/account';
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };

/** An app that Alice has connected in another browser. */
async function connect(name: string, scope = 'mcp:tools'): Promise<string> {
  const client = await OAuthClient.register(stack, { client_name: name });
  const context = await browser().newContext();
  const called = await signIn(context, client.authorizationUrl({ scope }), 'Alice');
  const { json } = await client.redeem(called.searchParams.get('code') ?? '');
  await context.close();
  return String(json.access_token);
}

/** The status of a request to the MCP server. */
async function call(token: string): Promise<number> {
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: INITIALIZE };
  return (await postJson(`${stack.mcpUrl}/mcp`, body, { authorization: `Bearer ${token}` })).status;
}

/** Signs in to the account page as somebody. */
async function open(context: BrowserContext, person = /Alice/): Promise<Page> {
  const page = await context.newPage();
  await page.goto(stack.authUrl + ACCOUNT);
  await page.getByRole('button', { name: /development/i }).click();
  await page.getByRole('button', { name: person }).click();
  await page.getByRole('heading', { level: 1, name: /account|Konto|compte/ }).waitFor();
  return page;
}

async function press(page: Page, name: RegExp): Promise<void> {
  const button = page.getByRole('button', { name });
  await button.waitFor();
  for (let tabs = 0; !(await button.evaluate((element) => element.matches(':focus'))); tabs += 1) {
    if (tabs > 30) throw new Error(`the Tab key does not reach ${name}`);
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
}

describe('the account page in Chromium', () => {
  it('a person signs in and ends one access by the keyboard: its calls are refused within seconds, and others go on', async () => {
    const notes = await connect('Notes');
    const mail = await connect('Mail', 'mcp:tools mcp:admin');
    expect([await call(notes), await call(mail)]).toEqual([200, 200]);
    const context = await browser().newContext();
    const page = await open(context);
    expect(await page.getByText('alice@example.com').count()).toBeGreaterThan(0);
    await press(page, /^End the access of Notes$/);
    await page.getByRole('button', { name: 'End the access of Notes' }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).pathname).toBe(ACCOUNT);
    expect(await page.getByRole('button', { name: 'End the access of Mail' }).count()).toBe(1);
    await expect.poll(() => call(notes)).toBe(401);
    expect(await call(mail)).toBe(200);
    await context.close();
  });

  it('a person ends everything, and is signed out in another browser as well', async () => {
    await connect('Calendar');
    const [context, elsewhere] = [await browser().newContext(), await browser().newContext()];
    const [page, other] = [await open(context), await open(elsewhere)];
    await page.getByText('End everything').click();
    await page.getByRole('button', { name: 'End all access and sign out everywhere' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await page.getByText('No app has access on your behalf any more').waitFor();
    expect(await barriersOf(page, 'account-ended')).toEqual([]);
    await other.goto(stack.authUrl + ACCOUNT);
    await other.getByRole('heading', { name: 'Sign in to this server' }).waitFor();
    await context.close();
    await elsewhere.close();
  });

  it('the cookies of the page are HttpOnly and Lax, and no script of the page could read one', async () => {
    const context = await browser().newContext();
    const page = await open(context, /Bob/);
    const cookies = (await context.cookies(stack.authUrl)).filter(({ name }) => name === 'as_page');
    expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Lax', path: '/', expires: -1 }]);
    expect(await page.evaluate('document.cookie')).toBe('');
    await context.close();
  });
});

describe('WCAG 2.2 the account page', () => {
  it.each([
    ['en-GB', 'account-with-apps'],
    ['de-DE', 'account-in-German'],
    ['fr-FR', 'account-in-French'],
  ])('the page with apps has no barrier in the language %s', async (locale, name) => {
    await connect('Notes');
    await connect(
      'An-application-with-a-name-that-has-no-blank-where-a-line-could-break-0123456789',
      'mcp:tools mcp:admin',
    );
    const context = await browser().newContext({ locale });
    const page = await open(context);
    await page.locator('summary').click();
    expect(await barriersOf(page, name)).toEqual([]);
    await context.close();
  });

  it('the page without apps, the choice of how to sign in and the refusals have no barrier', async () => {
    const context = await browser().newContext();
    const page = await context.newPage();
    await page.goto(stack.authUrl + ACCOUNT);
    await page.getByRole('heading', { name: 'Sign in to this server' }).waitFor();
    expect(await barriersOf(page, 'account-choice')).toEqual([]);
    await page.goto(`${stack.authUrl}/sign-in?to=/account&again=1`);
    expect(await barriersOf(page, 'account-choice-again')).toEqual([]);
    const nobody = await open(context, /Bob/);
    expect(await barriersOf(nobody, 'account-of-nobody')).toEqual([]);
    await nobody.goto(`${stack.authUrl}/account/end-access`);
    expect(await barriersOf(nobody, 'account-error')).toEqual([]);
    await context.close();
  });
});
