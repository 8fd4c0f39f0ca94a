/** Proves, in a real Chromium, that a person can sign out: on the page of this server, and on the sign-in page of an app. */
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

const heading = (page: Page): Promise<string> => page.getByRole('heading', { level: 1 }).innerText();

async function signedIn(context: BrowserContext): Promise<{ client: OAuthClient; page: Page }> {
  const client = await OAuthClient.register(stack);
  await signIn(context, client.authorizationUrl(), 'Alice');
  return { client, page: await context.newPage() };
}

describe('a sign-out in Chromium', () => {
  it('the page /logout works by keyboard, and offers the page of the identity provider', async () => {
    const context = await browser().newContext();
    const { client, page } = await signedIn(context);
    await page.goto(`${stack.authUrl}/logout`);
    expect(await page.getByText('you are signed in as').innerText()).toContain('alice@example.com');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    const link = page.getByRole('link', { name: /^Sign out at .* as well$/ });
    const target = new URL((await link.getAttribute('href')) ?? '');
    expect(target.origin).toBe(stack.idpUrl);
    await link.click();
    await page.waitForURL(`${stack.idpUrl}/**`);
    await page.goto(client.authorizationUrl().href);
    expect(await page.getByRole('button', { name: /^Continue with / }).count()).toBe(1);
    await context.close();
  });

  it('the sign-in page offers it, and then shows the ways to sign in', async () => {
    const context = await browser().newContext();
    const { client, page } = await signedIn(context);
    const url = client.authorizationUrl();
    url.searchParams.set('prompt', 'consent');
    await page.goto(url.href);
    await page.getByText('Not you? Use another account').click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: /^Continue with / }).waitFor();
    expect(await page.getByRole('button', { name: 'Approve' }).count()).toBe(0);
    expect(await heading(page)).toContain('Sample client');
    await page.goto(`${stack.authUrl}/logout`);
    expect(await heading(page)).toBe('You are not signed in');
    await context.close();
  });
});
