/**
 * Proves how /token and /revoke treat valid, invalid, stolen and repeated codes and tokens (RFC 6749 §4.1.3, RFC 7009
 * §2).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  authorize,
  NATIVE,
  redeem,
  refresh,
  register,
  type TestClient,
  tokensFor,
  VERIFIER,
  WEB,
} from '../support/client.ts';
import { form, ISSUER, json, MCP, type RunningServer, read, startServer } from '../support/running-server.ts';

let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  server = await startServer();
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const error = async (response: Response) => [response.status, (await read(response)).error];

describe('RFC 9068 access tokens', () => {
  it('§2 an access token is an ES256 at+jwt for the resource, valid for ten minutes', async () => {
    const tokens = await tokensFor(server, client, { scope: 'mcp:tools', resource: MCP });
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'mcp:tools' });
    const token = String(tokens.access_token);
    const keys = createRemoteJWKSet(new URL(`${server.address}/jwks`));
    const { payload } = await jwtVerify(token, keys, { issuer: ISSUER, audience: MCP, typ: 'at+jwt' });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
    expect(payload).toMatchObject({ client_id: client.id, scope: 'mcp:tools', jti: expect.any(String) });
    expect(Number(payload.exp) - Number(payload.iat)).toBe(600);
    expect(payload.sub).not.toContain('alice');
  });

  it('an issued token is logged in the line of its request, by client, subject and grant', async () => {
    await tokensFor(server, client);
    const said = { msg: 'request', path: '/token', status: 200, client: client.id, grantType: 'authorization_code' };
    expect(server.log).toContainEqual(expect.objectContaining({ ...said, subject: expect.any(String) }));
  });

  it('an access token lives as long as the setting says, and a resource may override it', async () => {
    const resources = JSON.stringify([
      { url: 'https://a.example', accessTokenLifetime: '2m' },
      { url: 'https://b.example' },
    ]);
    await using other = await startServer({ env: { ACCESS_TOKEN_LIFETIME: '5m', RESOURCES: resources } });
    const app = await register(other);
    expect(await tokensFor(other, app, { resource: 'https://a.example/mcp' })).toMatchObject({ expires_in: 120 });
    expect(await tokensFor(other, app, { resource: 'https://b.example/mcp' })).toMatchObject({ expires_in: 300 });
  });
});

describe('authorization codes', () => {
  it('RFC 6749 §4.1.2 a code works once; a replay revokes the tokens of the first use (hole 1.6/7)', async () => {
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    expect(await error(await redeem(server, client, code))).toEqual([400, 'invalid_grant']);
    expect(await error(await refresh(server, client, tokens.refresh_token))).toEqual([400, 'invalid_grant']);
    expect(server.log).toContainEqual(
      expect.objectContaining({ msg: 'security', threat: 'authorization code reused' }),
    );
  });

  it('RFC 6749 §4.1.2 a code works for exactly one of many concurrent requests', async () => {
    const { code } = await authorize(server, client);
    const answers = await Promise.all(Array.from({ length: 6 }, () => redeem(server, client, code)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400, 400, 400]);
  });

  it('RFC 7636 §4.6 a code is spent by a wrong verifier: there is no second guess (hole 1.6/7)', async () => {
    const { code } = await authorize(server, client);
    const wrong = await redeem(server, client, code, { code_verifier: 'x'.repeat(43) });
    expect(await error(wrong)).toEqual([400, 'invalid_grant']);
    expect(await error(await redeem(server, client, code))).toEqual([400, 'invalid_grant']);
  });

  it('RFC 6749 §4.1.3 a code is bound to its redirect URI', async () => {
    const { code } = await authorize(server, client);
    const elsewhere = await redeem(server, client, code, { redirect_uri: 'https://app.example/other' });
    expect(await error(elsewhere)).toEqual([400, 'invalid_grant']);
  });

  it.each([
    ['left out', undefined],
    ['without a value (RFC 6749 §3.2)', ''],
  ])('OAuth 2.1 §10.2 a code needs no redirect_uri at /token: %s', async (_, redirect_uri) => {
    const { code } = await authorize(server, client);
    expect((await redeem(server, client, code, { redirect_uri })).status).toBe(200);
  });

  it('OAuth 2.1 §10.2 a code needs no redirect_uri where several are registered, nor for an ephemeral loopback port', async () => {
    const several = await register(server, WEB, { redirect_uris: [`${WEB}/a`, WEB] });
    const { code } = await authorize(server, several);
    expect((await redeem(server, several, code, { redirect_uri: undefined })).status).toBe(200);
    const native = { ...(await register(server, NATIVE)), redirectUri: 'http://127.0.0.1:49152/callback' };
    const { code: other } = await authorize(server, native);
    expect((await redeem(server, native, other, { redirect_uri: undefined })).status).toBe(200);
  });

  it('OAuth 2.1 §10.2 a code without redirect_uri still needs its verifier, and works once', async () => {
    const without = { redirect_uri: undefined };
    for (const code_verifier of [undefined, '', 'x'.repeat(43)]) {
      const { code } = await authorize(server, client);
      const guess = await redeem(server, client, code, { ...without, code_verifier });
      expect(await error(guess)).toEqual([400, 'invalid_grant']);
      expect(await error(await redeem(server, client, code, without))).toEqual([400, 'invalid_grant']);
    }
    const { code } = await authorize(server, client);
    const { refresh_token } = await read(await redeem(server, client, code, without));
    expect(await error(await redeem(server, client, code, without))).toEqual([400, 'invalid_grant']);
    expect(await error(await refresh(server, client, refresh_token))).toEqual([400, 'invalid_grant']);
    expect(await error(await redeem(server, client, 'unknown', without))).toEqual([400, 'invalid_grant']);
  });

  it('RFC 6749 §3.2 a repeated redirect_uri, or one with another port, is refused', async () => {
    const native = { ...(await register(server, NATIVE)), redirectUri: 'http://127.0.0.1:49152/callback' };
    const { code } = await authorize(server, native);
    const parameters = { grant_type: 'authorization_code', client_id: native.id, code, code_verifier: VERIFIER };
    const twice = new URLSearchParams({ ...parameters, redirect_uri: native.redirectUri });
    twice.append('redirect_uri', native.redirectUri);
    const answer = await server.fetch('/token', { method: 'POST', body: twice });
    expect(await error(answer)).toEqual([400, 'invalid_request']);
    expect(await error(await redeem(server, native, code, { redirect_uri: NATIVE }))).toEqual([400, 'invalid_grant']);
  });

  it('RFC 6749 §4.1.3 a code is bound to its client, and another client cannot spend it (hole 2.4/5)', async () => {
    const { code } = await authorize(server, client);
    const thief = await register(server);
    expect(await error(await redeem(server, thief, code))).toEqual([400, 'invalid_grant']);
    expect((await redeem(server, client, code)).status).toBe(200);
  });

  it('RFC 7636 §4.5 a code needs the verifier', async () => {
    const { code } = await authorize(server, client);
    expect(await error(await redeem(server, client, code, { code_verifier: undefined }))).toEqual([
      400,
      'invalid_grant',
    ]);
  });
});

describe('RFC 7009 revocation', () => {
  it('§2.1 the revocation of a refresh token ends its grant', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const gone = await server.fetch('/revoke', form({ token: String(token), client_id: client.id }));
    expect(gone.status).toBe(200);
    expect(await error(await refresh(server, client, token))).toEqual([400, 'invalid_grant']);
    expect(server.log).toContainEqual(expect.objectContaining({ msg: 'access ended', client: client.id }));
  });

  it('§2.1 the revocation by another client has no effect', async () => {
    const { refresh_token: token } = await tokensFor(server, client);
    const other = await register(server);
    await server.fetch('/revoke', form({ token: String(token), client_id: other.id }));
    expect((await refresh(server, client, token)).status).toBe(200);
  });

  it('§2.2 the revocation of an unknown token is answered with 200', async () => {
    expect((await server.fetch('/revoke', form({ token: 'unknown', client_id: client.id }))).status).toBe(200);
  });

  it('§2.2.1 the revocation of an access token is unsupported_token_type, because it is self-contained', async () => {
    const { access_token: token } = await tokensFor(server, client);
    const answer = await server.fetch('/revoke', form({ token: String(token), client_id: client.id }));
    expect(await error(answer)).toEqual([400, 'unsupported_token_type']);
  });
});

describe('RFC 6749 §5.2 refused token requests', () => {
  it('a request of an unknown or forgotten client is 401 invalid_client', async () => {
    const stranger = { id: 'nobody', redirectUri: WEB };
    expect(await error(await redeem(server, stranger, 'x'))).toEqual([401, 'invalid_client']);
    expect(await error(await refresh(server, stranger, 'x'))).toEqual([401, 'invalid_client']);
  });

  it('a confidential client must send its secret (hole 1.6/4)', async () => {
    const answer = await server.fetch(
      '/register',
      json({ redirect_uris: [WEB], token_endpoint_auth_method: 'client_secret_post' }),
    );
    const { client_id: id, client_secret: secret } = await read(answer);
    const confidential = { id: String(id), redirectUri: WEB };
    const attempt = async (client_secret: string | undefined) => {
      const { code } = await authorize(server, confidential);
      return redeem(server, confidential, code, { client_secret });
    };
    expect(await error(await attempt('wrong'))).toEqual([401, 'invalid_client']);
    expect(await error(await attempt(undefined))).toEqual([401, 'invalid_client']);
    expect((await attempt(String(secret))).status).toBe(200);
    const { code } = await authorize(server, confidential);
    const basic = Buffer.from(`${id}:${secret}`).toString('base64');
    const init = form({ grant_type: 'authorization_code', code, redirect_uri: WEB, code_verifier: 'wrong'.repeat(10) });
    const refused = await server.fetch('/token', { ...init, headers: { authorization: `Basic ${basic}` } });
    expect(await error(refused)).toEqual([400, 'invalid_grant']);
  });

  it.each([
    ['no body', { method: 'POST' }, 400, 'invalid_request'],
    ['JSON', json({ grant_type: 'authorization_code' }), 400, 'invalid_request'],
    ['an unknown grant', form({ grant_type: 'password', client_id: 'CLIENT' }), 400, 'unsupported_grant_type'],
    ['the implicit grant', form({ grant_type: 'implicit', client_id: 'CLIENT' }), 400, 'unsupported_grant_type'],
    ['no grant', form({ client_id: 'CLIENT' }), 400, 'invalid_request'],
    [
      'an unknown code',
      form({ grant_type: 'authorization_code', client_id: 'CLIENT', code: 'x', redirect_uri: WEB }),
      400,
      'invalid_grant',
    ],
  ])(
    'a request with %s gets the standard JSON error, uncached, also in a browser',
    async (_, init: RequestInit, status, code) => {
      const body = init.body instanceof URLSearchParams ? `${init.body}`.replace('CLIENT', client.id) : init.body;
      const answer = await server.fetch('/token', {
        ...init,
        ...(body !== undefined && { body }),
        headers: {
          ...(init.body instanceof URLSearchParams && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...(init.headers as Record<string, string>),
          accept: 'text/html, application/json;q=0.5',
        },
      });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
      expect(await read(answer)).toMatchObject({ error: code });
      expect(answer.headers.get('cache-control')).toContain('no-store');
    },
  );

  it('RFC 9110 §15.5.14 a request of more than a few kilobytes is refused with 413', async () => {
    expect(await error(await server.fetch('/token', form({ code: 'x'.repeat(60_000) })))).toEqual([
      413,
      'invalid_request',
    ]);
  });

  it('codes, tokens and verifiers never appear in the log', async () => {
    const { code } = await authorize(server, client);
    const tokens = await read(await redeem(server, client, code));
    await refresh(server, client, tokens.refresh_token);
    await refresh(server, client, tokens.refresh_token);
    const log = JSON.stringify(server.log);
    for (const secret of [code, tokens.refresh_token, tokens.access_token, 'a-code-verifier']) {
      expect(log).not.toContain(String(secret));
    }
  });
});

describe('a restart with the same file', () => {
  it('a restart keeps clients, grants, keys and refresh tokens', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'auth-server-'));
    const env = { DATA_DIR: folder };
    const before = await startServer({ env });
    const app = await register(before);
    const tokens = await tokensFor(before, app);
    const keys = await read(await before.fetch('/jwks'));
    await before[Symbol.asyncDispose]();

    await using after = await startServer({ env });
    expect(await read(await after.fetch('/jwks'))).toEqual(keys);
    const refreshed = await refresh(after, app, tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    expect(await tokensFor(after, app)).toHaveProperty('access_token');
    rmSync(folder, { recursive: true });
  });
});
