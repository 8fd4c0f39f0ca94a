/** Proves that the development IdP is a real OpenID provider: auth-server's own connector signs in through it. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { rawRequest, statusOf } from '@mcp-oauth/shared/testing/raw-request';
import * as oidc from 'openid-client';
import { describe, expect, it } from 'vitest';
import { compose } from '../src/compose.ts';

const ISSUER = 'http://localhost:9000';
const CALLBACK = `${ISSUER}/callback/development`;
const URL_OF_IDP = 'http://localhost:9001';
const VERIFIER = 'a-code-verifier-that-is-long-enough-for-rfc-7636-4.1';

async function start() {
  const service = await compose({}, { log: createLogger('development-idp', 'silent') });
  const server = await serve(service.handler);
  /** The IdP under its public URL, wherever it really listens. */
  const call: typeof fetch = (input, init) =>
    fetch(String(input).replace(URL_OF_IDP, server.url), { redirect: 'manual', ...init });
  return { service, call, [Symbol.asyncDispose]: () => server.close() };
}
type Idp = Awaited<ReturnType<typeof start>>;

const client = ({ call }: Idp) =>
  oidc.discovery(new URL(URL_OF_IDP), 'auth-server', {}, oidc.ClientSecretBasic('development-only-secret'), {
    [oidc.customFetch]: (url, options) => call(url, options as RequestInit),
    execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
  });

/** A browser with one cookie jar. It follows redirects within the IdP and returns the last answer with its target. */
function createBrowser({ call }: Idp) {
  const jar = new Map<string, string>();
  return async function visit(target: string, init: RequestInit = {}): Promise<{ page: Response; location: URL }> {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await call(new URL(target, URL_OF_IDP), { ...init, headers: { cookie, accept: 'text/html' } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      jar.set(name, value);
    }
    const location = new URL(response.headers.get('location') ?? target, URL_OF_IDP);
    const within = response.headers.has('location') && location.origin === URL_OF_IDP;
    return within ? visit(location.href) : { page: response, location };
  };
}

async function request(idp: Idp) {
  const upstream = await client(idp);
  const target = oidc.buildAuthorizationUrl(upstream, {
    redirect_uri: CALLBACK, scope: 'openid profile email', state: 'state', nonce: 'nonce',
    code_challenge: await oidc.calculatePKCECodeChallenge(VERIFIER), code_challenge_method: 'S256',
  }); // biome-ignore format: one row
  return { upstream, target: target.href };
}

const choose = (person: string): RequestInit => ({ method: 'POST', body: new URLSearchParams({ person }) });
const redeem = (upstream: oidc.Configuration, answer: URL) =>
  oidc.authorizationCodeGrant(upstream, answer, {
    expectedState: 'state',
    expectedNonce: 'nonce',
    pkceCodeVerifier: VERIFIER,
  });

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
