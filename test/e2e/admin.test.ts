/**
 * Proves, in a real Chromium, that an admin reads on one page who is connected, and that axe finds
 * no barrier. The screenshots are in test/.screenshots.
 */
import type { BrowserContext, Page } from 'playwright-core';
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

describe('the pages of the operator in Chromium', () => {
  it('an admin finds the grant of Bob by a part of the address', async () => {
    const client = await OAuthClient.register(stack, { client_name: 'Notes <b>app</b>' });
    const bobs = await browser().newContext();
    await signIn(bobs, client.authorizationUrl(), 'Bob');
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Alice/);
    expect(await barriersOf(page, 'admin-overview')).toEqual([]);
    await page.getByRole('textbox', { name: 'Person or client' }).fill('bob@');
    await page.getByRole('button', { name: 'Search' }).click();
    expect(await barriersOf(page, 'admin-search')).toEqual([]);
    await page.getByRole('link', { name: 'bob@example.com', exact: true }).click();
    await page.getByRole('heading', { name: /^Grants of/ }).waitFor();
    expect(await barriersOf(page, 'admin-grants')).toEqual([]);
    await context.close();
    await bobs.close();
  });

  it('somebody else who signs in sees the page of an address that does not exist', async () => {
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Bob/);
    await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    await context.close();
  });
});
