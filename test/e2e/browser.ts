/** Owns the person in a test: a real Chromium that walks through the sign-in pages like somebody who reads them. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { TestContext } from 'vitest';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** For `beforeEach`: leaves the test out, and says so, where there is no browser. */
export const needsChromium = (context: TestContext): void =>
  context.skip(!existsSync(executablePath), 'needs Chromium: apt-get install chromium, or set CHROMIUM to its path');

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launchBrowser = (): Promise<Browser> => chromium.launch({ executablePath, args: ARGUMENTS });

/** Follows an authorization URL to its end and gives back the URL that the client was called with. */
export async function signIn(context: BrowserContext, authorizationUrl: URL, person = 'Alice'): Promise<URL> {
  const page = await context.newPage();
  const answer = answered(page, authorizationUrl);
  await page.goto(authorizationUrl.href);
  const continueWith = page.getByRole('button', { name: 'Continue with Development sign-in' });
  const approve = page.getByRole('button', { name: /^(Approve|Allow)/ });
  await continueWith.or(approve).first().click();
  const choose = page.getByRole('button', { name: new RegExp(person) });
  await Promise.race([answer, choose.click()]);
  const called = await answer;
  await page.close();
  return called;
}

/** Denies on our own page. */
export async function deny(context: BrowserContext, authorizationUrl: URL): Promise<URL> {
  const page = await context.newPage();
  const answer = answered(page, authorizationUrl);
  await page.goto(authorizationUrl.href);
  await page.getByRole('button', { name: /Cancel|Deny/ }).click();
  const called = await answer;
  await page.close();
  return called;
}

function answered(page: Page, authorizationUrl: URL): Promise<URL> {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri') ?? '';
  return page
    .waitForRequest((request) => request.url().startsWith(redirectUri))
    .then((request) => new URL(request.url()));
}
