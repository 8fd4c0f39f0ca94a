/**
 * Proves, in a real Chromium, that an admin reads on one page who is connected and what was refused, and ends a grant after a new
 * sign-in; and that axe finds no barrier. The screenshots are in test/.screenshots.
 */
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { barriersOf } from '../support/accessibility.ts';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ ADMINS: 'email:alice@example.com', BRAND_NAME: 'Acme' });
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

/** A page of the operator, after the sign-in that it needs. */
async function open(context: BrowserContext, path: string, person: RegExp): Promise<Page> {
  const page = await context.newPage();
  await page.goto(stack.authUrl + path);
  await page.getByRole('button', { name: person }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  return page;
}

/** Where the last sign-in is too old for a page that ends something. */
async function signInAgain(page: Page, awaited: Locator): Promise<void> {
  const again = page.getByRole('button', { name: /Alice/ });
  await again.or(awaited).waitFor();
  if (await again.isVisible()) await again.click();
  await awaited.waitFor();
}

/** An app that Bob has connected. */
async function connect(name: string): Promise<OAuthClient> {
  const client = await OAuthClient.register(stack, { client_name: name });
  const context = await browser().newContext();
  const called = await signIn(context, client.authorizationUrl(), 'Bob');
  await client.redeem(called.searchParams.get('code') ?? '');
  await context.close();
  return client;
}

describe('the pages of the operator in Chromium', () => {
  it('an admin finds a grant of Bob, signs in again, sees what ends, ends it, and the client of Bob has no access', async () => {
    const client = await OAuthClient.register(stack, { client_name: 'Notes <b>app</b>' });
    const bobs = await browser().newContext();
    const called = await signIn(bobs, client.authorizationUrl(), 'Bob');
    const { json: tokens } = await client.redeem(called.searchParams.get('code') ?? '');
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Alice/);
    expect(await barriersOf(page, 'admin-overview')).toEqual([]);
    await page.getByRole('textbox', { name: 'Person or client' }).fill('bob@');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await barriersOf(page, 'admin-search')).toEqual([]);
    await page.getByRole('link', { name: 'bob@example.com', exact: true }).click();
    await page.getByRole('link', { name: /^End grant of bob@example\.com for Notes/ }).click();
    const confirm = page.getByRole('button', { name: 'End this grant' });
    await signInAgain(page, confirm);
    expect(await barriersOf(page, 'admin-end-grant')).toEqual([]);
    for (const words of ['bob@example.com', 'Notes <b>app</b>', 'mcp:tools'])
      await page.getByText(words).first().waitFor();
    await page.evaluate('Promise.all(document.getAnimations().map(({ finished }) => finished))');
    await confirm.click();
    await page.getByRole('heading', { name: 'Ended: this grant' }).waitFor();
    expect(await barriersOf(page, 'admin-ended')).toEqual([]);
    const refreshed = await client.refresh(String(tokens.refresh_token));
    expect([refreshed.status, refreshed.json.error]).toEqual([400, 'invalid_grant']);
    await context.close();
    await bobs.close();
  });

  it('no page of an admin has a barrier (WCAG 2.2), and none ends what has changed since it was shown', async () => {
    await connect('An-application-with-a-name-that-has-no-blank-where-a-line-could-break-0123456789');
    const refused = await fetch(`${stack.authUrl}/authorize?client_id=nobody`);
    expect(refused.status).toBe(400);
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Alice/);
    const linkTo = (what: string) => page.locator(`a[href*="/admin/end/${what}"]`).first().getAttribute('href');
    const ends = ['grant', 'client', 'person', 'key', 'everything'];
    const links = await Promise.all(ends.map(async (what) => [`end-${what}`, String(await linkTo(what))] as const));
    const lists = ['people', 'clients', 'grants', 'refusals'].map((list) => [list, `/admin/${list}`] as const);
    for (const [name, path] of [...lists, ...links]) {
      await page.goto(new URL(path, stack.authUrl).href);
      await signInAgain(page, page.getByRole('navigation', { name: 'Parts' }));
      expect(new URL(page.url()).pathname).toBe(path);
      expect(await barriersOf(page, `admin-${name}`)).toEqual([]);
    }
    await page.goto(new URL(Object.fromEntries(links)['end-person'] ?? '', stack.authUrl).href);
    const confirm = page.locator('button.danger');
    await signInAgain(page, confirm);
    await connect('Calendar');
    await confirm.click();
    await page.getByRole('alert').waitFor();
    expect(await barriersOf(page, 'admin-changed')).toEqual([]);
    await context.close();
  });

  it('somebody else who signs in sees the page of an address that does not exist', async () => {
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Bob/);
    await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    await context.close();
  });
});
