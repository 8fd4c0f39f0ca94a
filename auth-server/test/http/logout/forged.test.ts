/**
 * Proves that nobody but the upstream ends a session: every member of a logout token is checked (OpenID Connect Back-Channel Logout
 * 1.0 §2.6), and odd requests cost little and never fail the server.
 */

import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import okta from '../../../src/connectors/okta.connector.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, register, type TestClient } from '../../support/client.ts';
import { EVENT, type LogoutUpstream, report, startLogoutUpstream } from '../../support/logout-upstream.ts';
import { openKind } from '../../support/preset-stand-in.ts';
import { form, type RunningServer, read, startServer } from '../../support/running-server.ts';

let upstream: LogoutUpstream;
let server: RunningServer;
let client: TestClient;
let browser: Browser;
beforeEach(async () => {
  upstream = await startLogoutUpstream();
  server = await startServer({
    connectors: (acme) => [
      ...upstream.connectors(acme),
      { ...acme, id: 'github', callbackUrl: `${server?.issuer}/callback/github` },
    ],
  });
  client = await register(server);
  browser = new Browser(server);
  await authorize(server, client, {}, { browser, person: 'alice/s1' });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await upstream[Symbol.asyncDispose]();
});

/** The session is still used: the approval is remembered, so no page is shown. */
const expectSignedIn = async () =>
  expect((await browser.follow(authorizePath(client))).outside?.searchParams.has('code')).toBe(true);

async function expectRefused(response: Response, description: string | RegExp = 'the logout token is not valid') {
  expect(response.status).toBe(400);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(await read(response)).toEqual({
    error: 'invalid_request',
    error_description: typeof description === 'string' ? description : expect.stringMatching(description),
  });
  await expectSignedIn();
}

const now = () => Math.floor(Date.now() / 1000);
const unsigned = (header: object, claims: object): string =>
  `${[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

const whole = (claims: JWTPayload = {}): JWTPayload => ({
  iss: upstream.issuer, aud: 'client', sub: 'alice', iat: now(), exp: now() + 60, jti: 'forged', events: { [EVENT]: {} }, ...claims,
}); // biome-ignore format: one row

describe('OpenID Connect Back-Channel Logout §2.6 the claims of a logout token', () => {
  it.each<[string, () => Readonly<Record<string, unknown>>, claim: string]>([
    ['another issuer', () => ({ iss: 'https://evil.example' }), 'iss'],
    ['no issuer', () => ({ iss: undefined }), 'iss'],
    ['another audience', () => ({ aud: 'somebody-else' }), 'aud'],
    ['several audiences without this client', () => ({ aud: ['a', 'b'] }), 'aud'],
    ['no audience', () => ({ aud: undefined }), 'aud'],
    ['a nonce', () => ({ nonce: 'of-an-id-token' }), 'nonce'],
    ['a nonce of null', () => ({ nonce: null }), 'nonce'],
    ['no events', () => ({ events: undefined }), 'events'],
    ['events as a list', () => ({ events: [EVENT] }), 'events'],
    ['another event', () => ({ events: { 'https://schemas.example/event': {} } }), 'events'],
    ['an event that is not an object', () => ({ events: { [EVENT]: true } }), 'events'],
    ['an iat of three minutes ago', () => ({ iat: now() - 180 }), 'iat'],
    ['an iat in two minutes', () => ({ iat: now() + 120 }), 'iat'],
    ['an iat as text', () => ({ iat: String(now()) }), 'iat'],
    ['no iat', () => ({ iat: undefined }), 'iat'],
    ['an end in the past', () => ({ exp: now() - 60 }), 'exp'],
    ['an end as text', () => ({ exp: String(now() + 60) }), 'exp'],
    ['an end of null', () => ({ exp: null }), 'exp'],
    ['an nbf in two minutes', () => ({ nbf: now() + 120 }), 'nbf'],
    ['an nbf as text', () => ({ nbf: 'now' }), 'nbf'],
    ['no jti', () => ({ jti: undefined }), 'jti'],
    ['a jti of another type', () => ({ jti: 7 }), 'jti'],
    ['a jti that is too long', () => ({ jti: 'j'.repeat(256) }), 'jti'],
    ['neither sub nor sid', () => ({ sub: undefined }), 'sub'],
    ['an empty sub', () => ({ sub: '' }), 'sub'],
    ['a sub of another type', () => ({ sub: { toString: 1 } }), 'sub'],
    ['a sid of another type', () => ({ sid: ['s1'] }), 'sid'],
  ])('a token with %s is refused, and the log names the claim', async (_, claims, claim) => {
    await expectRefused(await report(server, await upstream.token({ sub: 'alice', ...claims() })));
    expect(server.log).toContainEqual(
      expect.objectContaining({
        msg: 'request refused',
        claim,
        reason: expect.stringMatching(/^the logout token was refused/),
      }),
    );
  });

  it.each(['at+jwt', 'secevent+jwt', 'dpop+jwt', ''])('§4.1 a JWT of type %j is refused', async (typ) => {
    await expectRefused(await report(server, await upstream.token({ sub: 'alice' }, { typ })));
  });

  it.each(['logout+jwt', 'JWT', 'application/logout+jwt', undefined])(
    '§2.4 recommends and does not require a type: %j is accepted',
    async (typ) => {
      expect((await report(server, await upstream.token({ sub: 'bob' }, { typ }))).status).toBe(200);
    },
  );

  it('§2.4 a token without exp, as drafts of the specification had it, is accepted for as long as iat is young', async () => {
    expect((await report(server, await upstream.token({ sub: 'bob', exp: undefined }))).status).toBe(200);
    await expectRefused(await report(server, await upstream.token({ sub: 'alice', exp: undefined, iat: now() - 180 })));
  });

  it('§4.1 an id token of the same person is refused', async () => {
    const idToken = await upstream.token({ sub: 'alice', events: undefined, jti: undefined }, { typ: 'JWT' });
    await expectRefused(await report(server, idToken));
  });

  it('clocks may differ by half a minute', async () => {
    const ahead = { iat: now() + 20, exp: now() + 140 };
    expect((await report(server, await upstream.token({ sub: 'bob', ...ahead }))).status).toBe(200);
  });
});

describe('OpenID Connect Back-Channel Logout §2.6 the signature of a logout token', () => {
  it('alg none is refused', async () => {
    await expectRefused(await report(server, unsigned({ alg: 'none', typ: 'logout+jwt' }, whole())));
  });

  it.each(['secret', 'client'])('HS256 with the client secret or id as the key is refused: %s', async (key) => {
    const token = await new SignJWT(whole())
      .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt', kid: '1' })
      .sign(new TextEncoder().encode(key.padEnd(32, '\0')));
    await expectRefused(await report(server, token));
  });

  it('HS256 with the public key of the provider as the secret is refused', async () => {
    const { keys } = (await (await fetch(`${upstream.issuer}/jwks`)).json()) as { keys: unknown };
    const secret = new TextEncoder().encode(JSON.stringify(keys));
    const token = await new SignJWT(whole())
      .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt', kid: '1' })
      .sign(secret);
    await expectRefused(await report(server, token));
  });

  it('a key of somebody else under the same kid is refused, also as a jwk in the header', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    for (const header of [{}, { jwk }, { jku: 'https://evil.example/jwks' }]) {
      const token = await new SignJWT(whole())
        .setProtectedHeader({ alg: 'RS256', kid: '1', typ: 'logout+jwt', ...header })
        .sign(privateKey);
      await expectRefused(await report(server, token));
    }
  });

  it('changed claims under a good signature are refused', async () => {
    const [header, , signature] = (await upstream.token({ sub: 'bob' })).split('.');
    const claims = Buffer.from(JSON.stringify(whole())).toString('base64url');
    await expectRefused(await report(server, [header, claims, signature].join('.')));
  });

  it('a hundred tokens with unknown keys cost the provider five requests for its keys', async () => {
    await report(server, await upstream.token({ sub: 'bob' }));
    const before = upstream.play.stage.asked.length;
    const { privateKey } = await generateKeyPair('RS256');
    for (let n = 0; n < 100; n += 1) {
      const sent = new SignJWT(whole()).setProtectedHeader({ alg: 'RS256', kid: `unknown-${n}`, typ: 'logout+jwt' });
      const response = await report(server, await sent.sign(privateKey));
      expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_request']);
    }
    expect(upstream.play.stage.asked.length - before).toBeLessThanOrEqual(5);
  });
});

describe('OpenID Connect Back-Channel Logout §2.5 the request', () => {
  it('a person of another connector is not signed out: the issuer is part of the person', async () => {
    await using other = await startLogoutUpstream();
    await using both = await startServer({
      connectors: (acme) => [
        ...upstream.connectors(acme),
        ...other.connectors(acme).map((connector) => ({ ...connector, id: 'other' })),
      ],
    });
    client = await register(both);
    browser = new Browser(both);
    await authorize(both, client, {}, { browser, person: 'alice/s1' });
    expect((await report(both, await other.token({ sub: 'alice' }), 'other')).status).toBe(200);
    expect((await report(both, await other.token({ sid: 's1' }), 'other')).status).toBe(200);
    expect((await report(both, await other.token({ sub: 'alice' }))).status, 'at the wrong connector').toBe(400);
    await expectSignedIn();
  });

  it('a token is used once', async () => {
    const token = await upstream.token({ sub: 'bob' });
    expect((await report(server, token)).status).toBe(200);
    await expectRefused(await report(server, token), 'the logout token was used before');
    // The same jti in another token is the same token.
    const claims = { sub: 'alice', jti: 'same' };
    expect((await report(server, await upstream.token({ ...claims, sub: 'bob' }))).status).toBe(200);
    await expectRefused(await report(server, await upstream.token(claims)), 'the logout token was used before');
  });

  it.each<[string, () => Promise<RequestInit>, RegExp]>([
    [
      'two tokens',
      async () => {
        const body = new URLSearchParams();
        for (const sub of ['alice', 'bob']) body.append('logout_token', await upstream.token({ sub }));
        return { method: 'POST', body };
      },
      /exactly one logout_token/,
    ],
    ['no token', async () => form({}), /exactly one logout_token/],
    ['an empty token', async () => form({ logout_token: '' }), /exactly one logout_token/],
    [
      'JSON',
      async () => ({ method: 'POST', body: '{"logout_token":"x"}', headers: { 'content-type': 'application/json' } }),
      /a form/,
    ],
    ['a token that is no JWT', async () => form({ logout_token: 'abc' }), /not valid/],
    ['a token of five parts', async () => form({ logout_token: 'a.b.c.d.e' }), /not valid/],
    ['a token of nulls', async () => form({ logout_token: '\0\0.\0\0.\0' }), /not valid/],
  ])('a request with %s is refused', async (_, request, description) => {
    await expectRefused(await server.fetch('/backchannel-logout/acme', await request()), description);
  });

  it.each([
    ['of 20 KB', 20_000],
    ['of 1 MB', 1_000_000],
  ])('a body %s is refused unread', async (_, size) => {
    const response = await report(server, 'x'.repeat(size));
    expect(response.status).toBe(413);
    await expectSignedIn();
  });

  it('a connector whose provider sends no logout tokens has no endpoint, and its page to sign out stays', async () => {
    const env = { ISSUER: upstream.issuer, CLIENT_ID: 'client', CLIENT_SECRET: 'secret' };
    const connector = openKind(okta, env);
    expect(connector.logout?.page).toBeTypeOf('function');
    expect(await connector.logout?.page(undefined)).toBeUndefined();
    await using silent = await startServer({ connectors: (acme) => [{ ...acme, connector }] });
    expect((await report(silent, await upstream.token({ sub: 'alice' }))).status).toBe(404);
  });

  it('only POST is allowed, and only where the connector knows logout tokens', async () => {
    const get = await server.fetch('/backchannel-logout/acme?logout_token=x');
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    for (const id of ['github', 'unknown', '%00', '__proto__']) {
      expect((await report(server, 'x', id)).status, id).toBe(404);
    }
  });

  it('failures are limited by address, and a token that is good is then refused as well', async () => {
    await using limited = await startServer({ env: { FAILURE_LIMIT: '3' }, connectors: upstream.connectors });
    for (let n = 0; n < 4; n += 1) expect((await report(limited, 'x')).status).toBe(400);
    const response = await report(limited, await upstream.token({ sub: 'alice' }));
    expect([response.status, response.headers.has('retry-after')]).toEqual([429, true]);
  });

  it('CWE-400 tokens with a bad signature count as failures, also while the keys of the provider are not asked for again', async () => {
    await using limited = await startServer({ env: { FAILURE_LIMIT: '20' }, connectors: upstream.connectors });
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT(whole())
      .setProtectedHeader({ alg: 'RS256', kid: '1', typ: 'logout+jwt' })
      .sign(privateKey);
    const statuses: number[] = [];
    for (let n = 0; n < 30; n += 1) statuses.push((await report(limited, token)).status);
    expect(statuses.filter((status) => status === 400).length).toBeLessThanOrEqual(21);
    expect(statuses.at(-1)).toBe(429);
  });

  it('no log line has a token', async () => {
    const token = await upstream.token({ sub: 'alice', nonce: 'n' });
    await report(server, token);
    expect(JSON.stringify(server.log)).not.toContain(token.split('.')[1]);
  });
});
