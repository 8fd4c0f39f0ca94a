/**
 * Proves that a real browser delivers a form post response (OAuth 2.0 Form Post Response Mode, as Apple answers): the
 * cookie of the sign-in is SameSite=Lax, so it is not sent with a form of another site, but with the GET that follows.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signIn, useBrowser } from '../support/browser.ts';
import { OAuthClient } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';

const pair = generateKeyPair('ES256');

/** Answers at once, as for a person who is signed in there; at 127.0.0.1, which is another site than localhost. */
async function answer(request: IncomingMessage, response: ServerResponse, issuer: string): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', issuer);
  const json = (body: object) => response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  if (pathname === '/.well-known/openid-configuration') {
    const at = (path: string) => issuer + path;
    const endpoints = { authorization_endpoint: at('/authorize'), token_endpoint: at('/token'), jwks_uri: at('/jwks') };
    json({ issuer, ...endpoints, id_token_signing_alg_values_supported: ['ES256'] });
  } else if (pathname === '/jwks') {
    json({ keys: [await exportJWK((await pair).publicKey)] });
  } else if (pathname === '/token') {
    let form = '';
    for await (const part of request) form += part;
    const token = new SignJWT({ sub: 'ada', nonce: new URLSearchParams(form).get('code') ?? '' })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(issuer)
      .setAudience('client')
      .setIssuedAt()
      .setExpirationTime('1m');
    const id_token = await token.sign((await pair).privateKey);
    json({ access_token: 'a', token_type: 'bearer', id_token, refresh_token: null });
  } else {
    const fields = { code: searchParams.get('nonce'), state: searchParams.get('state'), user: '{}' };
    const inputs = Object.entries(fields).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
    );
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${searchParams.get('redirect_uri')}">${inputs.join('')}</form>
<script>document.forms[0].submit()</script>`);
  }
}

describe('an identity provider that answers by form', () => {
  let provider: TestServer;
  let stack: Stack;

  beforeAll(async () => {
    provider = await serve((request, response) => answer(request, response, provider.url));
    stack = await Stack.start({
      CONNECTORS: 'apple',
      CONNECTOR_APPLE_TYPE: 'oidc',
      CONNECTOR_APPLE_ISSUER: provider.url,
      CONNECTOR_APPLE_CLIENT_ID: 'client',
      CONNECTOR_APPLE_CLIENT_SECRET: 'a-secret-of-the-sample',
      CONNECTOR_APPLE_RESPONSE_MODE: 'form_post',
    });
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await provider?.close();
  });
  const browser = useBrowser();

  it('RFC 6265bis §5.5 a form answer signs in: it comes without the cookie, and the GET after it with the cookie', async () => {
    await using callback = await serve((_, response) => response.end('You can close this window.'));
    const redirectUri = `${callback.url}/callback`;
    const client = await OAuthClient.register(stack, { redirect_uris: [redirectUri] });
    const person = await browser().newContext();
    const returns: Promise<readonly [method: string, hasCookie: boolean]>[] = [];
    // When a request begins, Chromium may not know its additional headers yet, and never learns them once the page is
    // closed.
    person.on('response', (response) => {
      if (response.url().includes('/callback/apple')) returns.push(cookieOf(response.request()));
    });
    const home = await signIn(person, client.authorizationUrl({ redirect_uri: redirectUri }));
    expect(home.searchParams.get('error')).toBeNull();
    expect(home.searchParams.get('code')).toBeTruthy();
    expect(await Promise.all(returns)).toEqual([
      ['POST', false],
      ['GET', true],
    ]);
  });
});

const cookieOf = async (request: Request) => {
  const { cookie = '' } = await request.allHeaders();
  return [request.method(), cookie.includes('as_login_')] as const;
};
