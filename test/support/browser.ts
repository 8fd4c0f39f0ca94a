/** Owns the person in a test: a real Chromium that goes through the sign-in pages as a reader would. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core';
import { afterAll, beforeEach, type TestContext } from 'vitest';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';

/** Skips the test, and reports it, where there is no browser. */
const needsChromium = (context: TestContext): void =>
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

export const launchBrowser = (...more: readonly string[]): Promise<Browser> =>
  chromium.launch({ executablePath, args: [...ARGUMENTS, ...more] });

/** One browser for the tests of a file or a `describe`, which are skipped without Chromium. Call it after other hooks. */
export function useBrowser(): () => Browser {
  let browser: Browser | undefined;
  beforeEach(async (context) => {
    needsChromium(context);
    browser ??= await launchBrowser();
  });
  afterAll(() => browser?.close());
  return () => {
    if (!browser) throw new Error('no browser');
    return browser;
  };
}

/** Attempts of a sign-in: containers that another test starts or stops disturb the network for some seconds. */
const PATIENCE = 20;

/** Follows an authorization URL to its end and returns the redirect URL of the client. */
export async function signIn(context: BrowserContext, authorizationUrl: URL, person = 'Alice'): Promise<URL> {
  for (let begun = 0; begun < PATIENCE; begun += 1) {
    const page = await context.newPage();
    const called = await Promise.race([walk(page, authorizationUrl, person), networkChanged(page)]);
    await leave(page);
    if (called) return called;
  }
  throw new Error(`the network changed ${PATIENCE} times during one sign-in`);
}

async function walk(page: Page, authorizationUrl: URL, person: string): Promise<URL> {
  const answer = answered(page, authorizationUrl);
  await page.goto(authorizationUrl.href).catch(unlessNetworkChanged);
  const continueWith = page.getByRole('button', { name: /^Continue with / });
  const approve = page.getByRole('button', { name: /^(Approve|Allow)/ });
  await continueWith.or(approve).first().click();
  const choose = page.getByRole('button', { name: new RegExp(person) });
  await Promise.race([answer, choose.click()]);
  return answer;
}

/** Opens a page and reloads it after a network error. */
export async function open(page: Page, url: URL): Promise<void> {
  for (let begun = 0; begun < PATIENCE; begun += 1) {
    if (await page.goto(url.href).then(() => true, unlessNetworkChanged)) return;
  }
  throw new Error(`the network changed ${PATIENCE} times`);
}

const NETWORK_CHANGED = 'net::ERR_NETWORK_CHANGED';

/** Starting or stopping a container changes the networks of this machine, and Chromium then aborts running requests. */
async function networkChanged(page: Page): Promise<undefined> {
  const predicate = (request: Request) =>
    request.isNavigationRequest() && request.failure()?.errorText === NETWORK_CHANGED;
  await page.waitForEvent('requestfailed', { predicate, timeout: 0 });
}

function unlessNetworkChanged(error: Error): false {
  if (!error.message.includes(NETWORK_CHANGED)) throw error;
  return false;
}

/** Milliseconds. */
const LEAVING = 5_000;

/**
 * Closes a page after its navigation has ended: the driver can wait forever for a page that is closed while it
 * navigates.
 */
async function leave(page: Page): Promise<void> {
  await page.waitForLoadState('load', { timeout: LEAVING }).catch(() => {});
  await Promise.race([page.close(), setTimeout(LEAVING, undefined, { ref: false })]);
}

/** Denies the request on auth-server's own page. */
export async function deny(context: BrowserContext, authorizationUrl: URL): Promise<URL> {
  const page = await context.newPage();
  const answer = answered(page, authorizationUrl);
  await page.goto(authorizationUrl.href);
  await page.getByRole('button', { name: /Cancel|Deny/ }).click();
  const called = await answer;
  await leave(page);
  return called;
}

function answered(page: Page, authorizationUrl: URL): Promise<URL> {
  const redirectUri = authorizationUrl.searchParams.get('redirect_uri') ?? '';
  const answer = page
    .waitForRequest((request) => request.url().startsWith(redirectUri))
    .then((request) => new URL(request.url()));
  // No test may still wait for the page when it is closed.
  answer.catch(() => {});
  return answer;
}
