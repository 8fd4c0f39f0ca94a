/**
 * Proves, in a real Chromium, that an admin reads on one page who is connected and what was refused, and ends a grant after a new
 * sign-in; and that axe finds no barrier. The screenshots are in test/.screenshots.
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
    const again = page.getByRole('button', { name: /Alice/ });
    const confirm = page.getByRole('button', { name: 'End this grant' });
    await again.or(confirm).waitFor();
    if (await again.isVisible()) await again.click();
    await confirm.waitFor();
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

  it('somebody else who signs in sees the page of an address that does not exist', async () => {
    const context = await browser().newContext();
    const page = await open(context, '/admin', /Bob/);
    await page.getByRole('heading', { name: 'Nothing here' }).waitFor();
    await context.close();
  });
});
