/** Owns a person in a test who signs in to a page of the server itself, without an app. */
import type { Browser } from './browser.ts';

/** The page, after a sign-in with the connector `acme` where one is needed. */
export async function openPage(browser: Browser, path = '/account', person = 'alice'): Promise<Response> {
  const { page, outside } = await browser.follow(path);
  if (page) return page;
  return comeBack(browser, outside, person);
}

/** The way back from the upstream, up to the page. */
export async function comeBack(browser: Browser, upstream: URL | undefined, person = 'alice'): Promise<Response> {
  const state = upstream?.searchParams.get('state') ?? '';
  const { page } = await browser.follow(`/callback/acme?${new URLSearchParams({ state, code: person })}`);
  if (!page) throw new Error('the browser left this server');
  return page;
}

/** The hidden token of the forms of a page. */
export const tokenIn = (markup: string): string => /name="token" value="([^"]+)"/.exec(markup)?.[1] ?? '';

export const PAGE_COOKIE = 'as_page';

export const pageCookieOf = (browser: Browser): string | undefined =>
  browser.cookies.find(({ name }) => name.endsWith(PAGE_COOKIE))?.value;
