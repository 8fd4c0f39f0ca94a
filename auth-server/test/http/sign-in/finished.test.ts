/** Proves which answers become a page (RFC 8252 §7.1), and that every other redirect stays as it was. */
import { once } from 'node:events';
import { get as httpGet, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorizePath, register } from '../../support/client.ts';
import { type RunningServer, startServer } from '../../support/running-server.ts';

const APP = 'com.example.notes:/callback';
const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

/** One GET with exactly these headers: `fetch` writes its own `Sec-Fetch-Mode`. */
async function get(url: URL, headers: OutgoingHttpHeaders): Promise<Response> {
  const request = httpGet(url, { headers });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  const lines = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value].flat().map((one) => [name, one ?? '']),
  );
  const body = answer.statusCode === 204 ? null : await text(answer);
  return new Response(body, { status: answer.statusCode ?? 0, headers: lines as [string, string][] });
}

/** The last answer of a sign-in, requested with these headers. */
async function lastAnswer(redirectUri: string, headers: Readonly<Record<string, string>>) {
  let last: Response | undefined;
  const fetchLast: RunningServer['fetch'] = async (path, init) => {
    const { pathname, search } = server.url(path);
    if (!pathname.startsWith('/authorize/')) return server.fetch(path, init);
    last = await get(new URL(pathname + search, server.address), { ...(init?.headers as object), ...headers });
    return last;
  };
  const browser = new Browser({ ...server, fetch: fetchLast });
  const { page } = await browser.follow(authorizePath(await register(server, redirectUri)));
  await browser.signIn(page, 'alice');
  if (!last) throw new Error('no answer');
  return last;
}

describe('the last answer of a sign-in', () => {
  it('RFC 8252 §7.1 a browser gets a page that leads to the app at once, and may not be stored', async () => {
    const answer = await lastAnswer(APP, NAVIGATION);
    expect([answer.status, answer.headers.get('location')]).toEqual([200, null]);
    expect(answer.headers.get('refresh')).toMatch(/^0; url=com\.example\.notes:\/callback\?code=/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    const [, target = ''] = /url=(.+)/.exec(answer.headers.get('refresh') ?? '') ?? [];
    expect(await answer.text()).toContain(`href="${target.replaceAll('&', '&amp;')}"`);
  });

  it('the page is in the language of the browser', async () => {
    const answer = await lastAnswer(APP, { ...NAVIGATION, 'accept-language': 'fr' });
    expect(await answer.text()).toContain('Vous pouvez fermer cette page');
  });

  it.each([
    ['an app, asked by a program', APP, {}],
    ['an app, asked in a frame', APP, { ...NAVIGATION, 'sec-fetch-dest': 'iframe' }],
    ['an app, asked by a script', APP, { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['a loopback address', 'http://127.0.0.1:1234/callback', NAVIGATION],
    ['a website', 'https://app.example/callback', NAVIGATION],
  ])('RFC 6749 §4.1.2 %s: it stays a redirect', async (_, redirectUri, headers) => {
    const answer = await lastAnswer(redirectUri, headers);
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(/[?&]code=/);
    expect(answer.headers.get('refresh')).toBeNull();
  });
});
