/** Proves that the development IdP is a real OpenID provider: auth-server's own connector signs in through it. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { rawRequest, statusOf } from '@mcp-oauth/shared/testing/raw-request';
import { describe, expect, it } from 'vitest';
import { compose } from '../src/compose.ts';
import { AUTH_SERVER, choose, createBrowser, redeem, request, startIdp as start, URL_OF_IDP } from './support/idp.ts';

const CALLBACK = AUTH_SERVER.redirectUri;

describe('OpenID Connect Core §3.1 the development IdP', () => {
  it('the development IdP signs a person in by one click', async () => {
    await using idp = await start();
    const { upstream, target } = await request(idp);
    const visit = createBrowser(idp);
    const { page, location } = await visit(target);
    expect(await page.text()).toMatch(/development only/i);
    const { location: answer } = await visit(location.href, choose('alice'));
    expect((await redeem(upstream, answer)).claims()).toMatchObject({
      iss: URL_OF_IDP, sub: 'alice', email: 'alice@example.com', email_verified: true, name: 'Alice Example',
    }); // biome-ignore format: one row
  });

  it('the development IdP asks at every sign-in, so that another person can be chosen', async () => {
    await using idp = await start();
    const visit = createBrowser(idp);
    const subjects: unknown[] = [];
    for (const person of ['alice', 'bob', 'alice']) {
      const { upstream, target } = await request(idp);
      const { page, location } = await visit(target);
      expect(page.status).toBe(200);
      const { location: answer } = await visit(location.href, choose(person));
      subjects.push((await redeem(upstream, answer)).claims()?.sub);
    }
    expect(subjects).toEqual(['alice', 'bob', 'alice']);
  });

  it.each([
    ['cancel', ''],
    ['a person that is not there', 'mallory'],
  ])('RFC 6749 §4.1.2.1 the development IdP answers %s with access_denied', async (_, person) => {
    await using idp = await start();
    const { target } = await request(idp);
    const visit = createBrowser(idp);
    const { location } = await visit(target);
    const { location: answer } = await visit(location.href, choose(person));
    expect(Object.fromEntries(answer.searchParams)).toMatchObject({ error: 'access_denied', state: 'state' });
  });

  it('RFC 6749 §3.1.2.4 the development IdP redirects only to auth-server', async () => {
    await using idp = await start();
    const { target } = await request(idp);
    const elsewhere = target.replace(encodeURIComponent(CALLBACK), encodeURIComponent('https://evil.example/cb'));
    expect(elsewhere).not.toBe(target);
    const { page, location } = await createBrowser(idp)(elsewhere);
    expect([page.status, location.origin]).toEqual([400, URL_OF_IDP]);
  });

  it('the development IdP takes its URLs from its configuration, never from Host', async () => {
    await using idp = await start();
    const response = await idp.call(`${URL_OF_IDP}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect(await response.text()).not.toContain('evil.example');
  });

  it('OpenID Connect Discovery §4 the development IdP publishes the same metadata under every host name', async () => {
    await using idp = await start();
    const response = await idp.call(`${URL_OF_IDP}/.well-known/openid-configuration`, {
      headers: { 'x-forwarded-proto': 'https' },
    });
    expect(await response.json()).toMatchObject({
      issuer: URL_OF_IDP,
      authorization_endpoint: `${URL_OF_IDP}/auth`,
      token_endpoint: `${URL_OF_IDP}/token`,
      jwks_uri: `${URL_OF_IDP}/jwks`,
    });
  });

  it('the development IdP uses other cookie names than auth-server, because cookies ignore ports', async () => {
    await using idp = await start();
    const { target } = await request(idp);
    const response = await idp.call(target);
    const names = response.headers.getSetCookie().map((line) => line.split('=')[0]);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect(name).toMatch(/^idp_/);
  });

  it('the development IdP is ready until it drains', async () => {
    await using idp = await start();
    const status = async () => (await idp.call(`${URL_OF_IDP}/readyz`)).status;
    expect(await status()).toBe(200);
    idp.service.drain();
    expect(await status()).toBe(503);
  });
});

describe('the development IdP refuses a request by its head alone', () => {
  const post = [
    'POST /interaction/x HTTP/1.1',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 900',
  ];

  it('RFC 9112 §3.2 two Host fields are refused with 400; RFC 9110 §15.5.16 a compressed body is refused with 415', async () => {
    const { handler } = await compose({}, { log: createLogger('development-idp', 'silent') });
    await using server = await serve(handler);
    const ask = async (...fields: string[]) => statusOf(await rawRequest(server.url, [...post, ...fields]));
    expect(await ask('Host: a', 'Host: a')).toBe(400);
    expect(await ask('Host: a', 'Content-Encoding: br')).toBe(415);
  });
});
