/**
 * Proves that a person can sign out of this server in their browser, that nobody else can do it for them, and that the page of the
 * identity provider is offered and not forced (OpenID Connect RP-Initiated Logout 1.0).
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient } from '../../support/client.ts';
import { type LogoutUpstream, startLogoutUpstream } from '../../support/logout-upstream.ts';
import { metadata } from '../../support/oidc-stand-in.ts';
import { type RunningServer, read, startServer } from '../../support/running-server.ts';

const tokenIn = (markup: string): string => /name="token" value="([^"]+)"/.exec(markup)?.[1] ?? '';

interface Signed {
  readonly server: RunningServer;
  readonly client: TestClient;
  readonly browser: Browser;
}

async function signedIn(server: RunningServer, person = 'alice'): Promise<Signed> {
  const client = await register(server);
  const browser = new Browser(server);
  await authorize(server, client, {}, { browser, person });
  return { server, client, browser };
}

const isSignedIn = async ({ browser, client }: Signed): Promise<boolean> =>
  (await browser.follow(authorizePath(client))).outside?.searchParams.has('code') ?? false;

const page = async (browser: Browser): Promise<string> => (await browser.visit('/logout')).text();

const submit = (browser: Browser, token: string, headers: Readonly<Record<string, string>> = {}) =>
  browser.visit('/logout', { method: 'POST', body: new URLSearchParams({ token }), headers });

describe('the page /logout', () => {
  it('a person sees who is signed in, and the button ends the session and its cookie', async () => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const markup = await page(signed.browser);
    expect(markup).toContain('Sign out of this server?');
    expect(markup).toContain('alice@acme.example');
    const done = await submit(signed.browser, tokenIn(markup));
    expect([done.status, done.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await done.text()).toContain('You are signed out');
    expect(signed.browser.cookies.map(({ name }) => name).filter((name) => name.startsWith('as_session'))).toEqual([]);
    expect(await isSignedIn(signed)).toBe(false);
    expect(await page(signed.browser)).toContain('You are not signed in');
  });

  it('the session itself ends: a copy of its cookie is worth nothing', async () => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const cookie = signed.browser.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    await submit(signed.browser, tokenIn(await page(signed.browser)));
    const again = await server.fetch('/logout', { headers: { accept: 'text/html', cookie } });
    expect(await again.text()).toContain('You are not signed in');
  });

  it('what the person approved stays: a refresh goes on', async () => {
    await using server = await startServer();
    const { client, browser } = await signedIn(server);
    const { code } = await authorize(server, client, {}, { browser });
    const { refresh_token: token } = await read(await redeem(server, client, code));
    const markup = await page(browser);
    expect(markup).toContain('Apps that you approved keep their access');
    await submit(browser, tokenIn(markup));
    expect((await refresh(server, client, token)).status).toBe(200);
  });

  it('the page speaks the language of the browser, and has the headers of every page', async () => {
    await using server = await startServer();
    const { browser } = await signedIn(server);
    const response = await browser.visit('/logout', { headers: { 'accept-language': 'de' } });
    expect(await response.text()).toContain('Von diesem Server abmelden?');
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('the path of the issuer is part of the page', async () => {
    await using server = await startServer({ env: { ISSUER: 'http://localhost:9000/auth' } });
    const { browser } = await signedIn(server);
    const markup = await (await browser.visit(`${server.issuer}/logout`)).text();
    expect(markup).toContain('action="/auth/logout"');
  });
});

describe('RFC 9700 §4.7 a sign-out that the person did not want', () => {
  it.each([
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another origin', { origin: 'https://evil.example' }],
    ['another sub-domain', { 'sec-fetch-site': 'same-site' }],
  ])('a form of %s is refused, even with the right token', async (_, headers) => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const response = await submit(signed.browser, tokenIn(await page(signed.browser)), headers);
    expect(response.status).toBe(403);
    expect(await isSignedIn(signed)).toBe(true);
  });

  it('a form without the token of this session is refused, also with that of another session', async () => {
    await using server = await startServer();
    const [alice, mallory] = [await signedIn(server), await signedIn(server, 'mallory')];
    for (const token of ['', 'x', tokenIn(await page(mallory.browser))]) {
      expect((await submit(alice.browser, token)).status, token).toBe(403);
    }
    expect(await isSignedIn(alice)).toBe(true);
  });

  it('a GET, a HEAD or another method signs nobody out, and a large form is not read', async () => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const token = tokenIn(await page(signed.browser));
    expect((await signed.browser.visit(`/logout?token=${token}`)).status).toBe(200);
    expect((await signed.browser.visit('/logout', { method: 'HEAD' })).status).toBe(200);
    const put = await signed.browser.visit('/logout', { method: 'PUT' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect((await submit(signed.browser, 'x'.repeat(2_000))).status).toBe(413);
    expect(await isSignedIn(signed)).toBe(true);
  });

  it('no link leads on from here: what RP-Initiated Logout §2 would send is ignored and shown nowhere', async () => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const query = new URLSearchParams({
      post_logout_redirect_uri: 'https://evil.example',
      state: '<b>state',
      id_token_hint: 'hint',
    });
    const asked = await signed.browser.visit(`/logout?${query}`);
    const markup = await asked.text();
    const body = new URLSearchParams({ ...Object.fromEntries(query), token: tokenIn(markup) });
    const done = await signed.browser.visit(`/logout?${query}`, { method: 'POST', body });
    expect([asked.status, done.status, done.headers.get('location')]).toEqual([200, 200, null]);
    for (const page of [markup, await done.text()]) expect(page).not.toMatch(/evil|state|hint/);
    for (const path of ['/session/end', '/session/end/success']) {
      expect((await signed.browser.visit(`${path}?${query}`)).status, path).toBe(404);
    }
  });

  it('a browser without a session, or with a forged cookie, gets a page and no error', async () => {
    await using server = await startServer();
    for (const cookie of ['', 'as_session=abc', 'as_session=abc; as_session.sig=def']) {
      const headers = { accept: 'text/html', ...(cookie && { cookie }) };
      const responses = [
        await server.fetch('/logout', { headers }),
        await server.fetch('/logout', { method: 'POST', headers }),
      ];
      expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    }
  });
});

describe('the sign-in page of a person who is signed in', () => {
  it('the sign-out on the sign-in page ends the session, and the same request goes on with another account', async () => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const { browser, client } = signed;
    const { page: shown } = await browser.follow(authorizePath(client, { prompt: 'consent' }));
    const markup = (await shown?.text()) ?? '';
    const [, path = ''] = /formaction="([^"]+)"/.exec(markup) ?? [];
    expect(path).toMatch(/\/sign-out$/);
    const body = new URLSearchParams({ token: tokenIn(markup) });
    const { page: next } = await browser.follow(`${server.issuer}${path}`, { method: 'POST', body });
    expect(await next?.clone().text()).toContain('Continue with <bdi>Acme</bdi>');
    const { outside } = await browser.signIn(next, 'bob');
    expect(outside?.searchParams.get('code')).toBeTruthy();
    expect(await page(browser)).toContain('bob@acme.example');
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }, true],
    ['a page without its token', {}, false],
  ])('a form of %s does not sign the person out', async (_, headers, hasToken) => {
    await using server = await startServer();
    const signed = await signedIn(server);
    const { page: shown } = await signed.browser.follow(authorizePath(signed.client, { prompt: 'consent' }));
    const markup = (await shown?.text()) ?? '';
    const [, path = ''] = /formaction="([^"]+)"/.exec(markup) ?? [];
    const body = new URLSearchParams({ token: hasToken ? tokenIn(markup) : 'x' });
    const response = await signed.browser.visit(`${server.issuer}${path}`, { method: 'POST', body, headers });
    expect(response.status).toBe(403);
    expect(await isSignedIn(signed)).toBe(true);
  });
});

describe('OpenID Connect RP-Initiated Logout §2 the page of the identity provider', () => {
  let upstream: LogoutUpstream;
  beforeEach(async () => {
    upstream = await startLogoutUpstream();
    return () => upstream[Symbol.asyncDispose]();
  });
  const publish = (endSession: unknown) =>
    upstream.play.stage.routes.set('/.well-known/openid-configuration', () => ({
      ...metadata(upstream.issuer),
      end_session_endpoint: endSession,
    }));

  async function signOut(): Promise<string> {
    await using server = await startServer({ connectors: upstream.connectors });
    const { browser } = await signedIn(server);
    return (await submit(browser, tokenIn(await page(browser)))).text();
  }

  it('the page of the provider is a link with our client id and a hint, and without a token', async () => {
    publish(`${upstream.issuer}/logout?realm=staff`);
    const [, target = ''] =
      /<a class="button quiet" rel="noreferrer" href="([^"]+)">Sign out at <bdi>Acme<\/bdi> as well/.exec(
        await signOut(),
      ) ?? [];
    const url = new URL(target.replaceAll('&amp;', '&'));
    expect(`${url.origin}${url.pathname}`).toBe(`${upstream.issuer}/logout`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      realm: 'staff',
      client_id: 'client',
      logout_hint: 'alice@acme.example',
    });
  });

  it.each([undefined, 7, 'javascript:alert(1)', 'data:text/html,x', 'no URL'])(
    'a provider whose metadata has the page %j gets no link',
    async (endSession) => {
      publish(endSession);
      const markup = await signOut();
      expect(markup).toContain('You are signed out');
      expect(markup).not.toContain('as well');
    },
  );

  it('a provider that is down does not prevent the sign-out here', async () => {
    upstream.play.stage.routes.delete('/.well-known/openid-configuration');
    expect(await signOut()).toContain('You are signed out');
  });
});
