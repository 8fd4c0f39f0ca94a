/**
 * Proves, in a real Chromium, that an answer reaches an app at each kind of address (RFC 8252 §7), and that the tab says that it can
 * be closed where no other page follows.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { Person } from '../support/person.ts';
import { Stack } from '../support/stack.ts';

const APP = 'com.example.notes:/callback';

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start();
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
});
const browser = useBrowser();

/** The URLs that the page asks Chromium to open, whether or not it can. */
async function navigationsOf(page: Page): Promise<readonly string[]> {
  const asked: string[] = [];
  const session = await page.context().newCDPSession(page);
  session.on('Page.frameRequestedNavigation', ({ url }) => asked.push(url));
  page.on('request', (request) => asked.push(request.url()));
  await session.send('Page.enable');
  return asked;
}

async function openPage(redirectUri: string) {
  const client = await OAuthClient.register(stack, { redirect_uris: [redirectUri] });
  const page = await (await browser().newContext()).newPage();
  const asked = await navigationsOf(page);
  await page.goto(client.authorizationUrl({ redirect_uri: redirectUri }).href);
  return { page, client, asked, close: () => page.context().close() };
}

async function signIn(page: Page) {
  await page.getByRole('button', { name: /^Continue with/ }).click();
  await page.getByRole('button', { name: /Alice/ }).click();
}

describe('RFC 8252 §7 the answer to an app', () => {
  it.each(['https://app.example/callback', 'http://127.0.0.1:33418/callback', APP])(
    'the answer reaches %s from the sign-in page',
    async (redirectUri) => {
      const { page, asked, close } = await openPage(redirectUri);
      await signIn(page);
      await expect.poll(() => asked.findLast((url) => url.startsWith(redirectUri))).toMatch(/[?&]code=/);
      await close();
    },
  );

  it('RFC 8252 §7.1 an app with a scheme of its own leaves a page that says that it can be closed', async () => {
    const { page, asked, client, close } = await openPage(APP);
    await signIn(page);
    await page.getByRole('heading', { name: 'You can close this page' }).waitFor();
    const target = (await page.getByRole('link', { name: 'Open the app' }).getAttribute('href')) ?? '';
    expect(asked).toContain(target);
    expect((await client.redeem(new URL(target).searchParams.get('code') ?? '', { redirect_uri: APP })).status).toBe(
      200,
    );
    await close();
  });

  it('RFC 6749 §4.1.2.1 the same page says that no access was given', async () => {
    const { page, asked, close } = await openPage(APP);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'No access was given' }).waitFor();
    await expect.poll(() => asked.findLast((url) => url.startsWith(APP))).toContain('error=access_denied');
    await close();
  });

  it('RFC 6749 §4.1.2 a program that waits for the redirect gets it', async () => {
    const client = await OAuthClient.register(stack, { redirect_uris: [APP] });
    const answer = await new Person().signIn(client.authorizationUrl({ redirect_uri: APP }), APP);
    expect(answer.searchParams.get('code')).toBeTruthy();
  });
});
