/** Proves RFC 6749 §4.4: machine clients get what their operator configured, and no other client becomes one. */
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { authorize, redeem, register, tokensFor } from '../support/client.ts';
import { form, ISSUER, json, MCP, type RunningServer, read, startServer } from '../support/running-server.ts';

const SECRET = 'a-secret-of-the-nightly-job';
const job = { client_id: 'nightly-job', client_secret: SECRET, grant_types: ['client_credentials'] };
const start = (clients: readonly object[] = [job], env = {}) =>
  startServer({ env: { CLIENTS: JSON.stringify(clients), ...env } });

const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });
const ask = (server: RunningServer, parameters: Record<string, string> = {}, id = 'nightly-job', secret = SECRET) =>
  server.fetch('/token', {
    ...form({ grant_type: 'client_credentials', ...parameters }),
    headers: basic(id, secret),
  });
const outcome = async (response: Response) => [response.status, (await read(response)).error];

describe('RFC 6749 §4.4 a machine client', () => {
  it('§4.4.3 a machine client gets an access token for itself, with defaults and no refresh token', async () => {
    await using server = await start();
    const tokens = await read(await ask(server));
    expect(tokens).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'mcp:tools',
    });
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({
      aud: MCP,
      sub: 'nightly-job',
      client_id: 'nightly-job',
      scope: 'mcp:tools',
    });
  });

  it('RFC 8707 §2 a machine client may spell its resource in any way, and gets no other', async () => {
    await using server = await start();
    const { access_token } = await read(await ask(server, { resource: 'http://LOCALHOST:8080/mcp/' }));
    expect(decodeJwt(String(access_token)).aud).toBe(MCP);
    expect(await outcome(await ask(server, { resource: 'https://other.example/' }))).toEqual([400, 'invalid_target']);
  });

  it('RFC 6749 §3.3 a machine client gets the requested scopes that are known and registered, and is told which', async () => {
    await using server = await start([
      { ...job, scope: 'mcp:tools' },
      { ...job, client_id: 'admin-job' },
    ]);
    const scopeFor = async (scope: string, id?: string) => (await read(await ask(server, { scope }, id))).scope;
    expect(await scopeFor('mcp:tools mcp:admin unknown')).toBe('mcp:tools');
    expect(await scopeFor('mcp:tools mcp:admin unknown', 'admin-job')).toBe('mcp:tools mcp:admin');
    expect(await outcome(await ask(server, { scope: 'mcp:admin' }))).toEqual([400, 'invalid_scope']);
    expect(await outcome(await ask(server, { scope: 'unknown' }))).toEqual([400, 'invalid_scope']);
  });

  it('RFC 6749 §4.4.2 rules about people do not limit a machine client, because no person is asked', async () => {
    await using server = await start([job], { SCOPE_RULES: 'mcp:tools=subject:nobody; mcp:admin=subject:nobody' });
    expect((await read(await ask(server, { scope: 'mcp:tools mcp:admin' }))).scope).toBe('mcp:tools mcp:admin');
  });

  it('RFC 6749 §5.2 a machine client is refused with a wrong secret or another grant', async () => {
    await using server = await start();
    expect(await outcome(await ask(server, {}, 'nightly-job', 'wrong-wrong-wrong-wrong'))).toEqual([
      401,
      'invalid_client',
    ]);
    expect(await outcome(await ask(server, {}, 'nobody'))).toEqual([401, 'invalid_client']);
    expect((await ask(server, { grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(400);
    expect((await server.fetch(`/authorize?client_id=nightly-job&response_type=code`)).status).toBe(400);
  });

  it('RFC 7523 §2.2 a machine client may authenticate with a key', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] };
    const client = {
      client_id: 'keyed',
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks,
    };
    await using server = await start([client]);
    const assertion = await new SignJWT({ jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer('keyed')
      .setSubject('keyed')
      .setAudience(ISSUER)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
    const parameters = {
      grant_type: 'client_credentials',
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    expect((await server.fetch('/token', form(parameters))).status).toBe(200);
    expect((await server.fetch('/token', form(parameters))).status).toBe(401);
  });

  it('a client that registered itself never becomes a machine client (RFC 7591 §5), whatever it asks for', async () => {
    await using server = await start();
    const asked = { redirect_uris: ['https://app.example/cb'], token_endpoint_auth_method: 'client_secret_basic' };
    const grants = ['authorization_code', 'client_credentials'];
    for (const extra of [
      { grant_types: grants },
      { grant_types: grants, client_id: 'nightly-job', scope: 'mcp:admin' },
    ]) {
      const client = await read(await server.fetch('/register', json({ ...asked, ...extra })));
      expect(client.grant_types).toEqual(['authorization_code']);
      expect(client.client_id).not.toBe('nightly-job');
      const refused = await ask(server, {}, String(client.client_id), String(client.client_secret));
      expect(refused.status).toBe(400);
    }
    expect((await server.fetch('/register', json({ ...asked, grant_types: ['client_credentials'] }))).status).toBe(400);
    expect((await ask(server)).status).toBe(200);
  });
});

describe('a client of CLIENTS', () => {
  it('a client of CLIENTS signs people in without registration', async () => {
    const client = { client_id: 'portal', redirect_uris: ['https://portal.example/callback'] };
    await using server = await start([client]);
    const tokens = await tokensFor(server, { id: 'portal', redirectUri: 'https://portal.example/callback' });
    expect(tokens).toMatchObject({ scope: 'mcp:tools', refresh_token: expect.any(String) });
  });

  it('a client of CLIENTS gets no more than its registered scope', async () => {
    const client = { client_id: 'portal', redirect_uris: ['https://portal.example/callback'], scope: 'mcp:tools' };
    await using server = await start([client]);
    const portal = { id: 'portal', redirectUri: 'https://portal.example/callback' };
    const { code } = await authorize(server, portal, { scope: 'mcp:tools' });
    expect(await read(await redeem(server, portal, code))).toMatchObject({ scope: 'mcp:tools' });
    const { outside } = await new (await import('../support/browser.ts')).Browser(server).follow(
      `/authorize?${new URLSearchParams({ client_id: 'portal', redirect_uri: portal.redirectUri, response_type: 'code', scope: 'mcp:admin', code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' })}`,
    );
    expect(outside?.searchParams.get('error')).toBe('invalid_scope');
  });
});

describe('RFC 6749 §2.1 lifetimes by class of client', () => {
  const env = {
    ACCESS_TOKEN_LIFETIME: '10m',
    ACCESS_TOKEN_LIFETIME_CONFIDENTIAL: '20m',
    ACCESS_TOKEN_LIFETIME_MACHINE: '1h',
  };
  const confidential = { token_endpoint_auth_method: 'client_secret_post' };

  it('lifetimes differ by class of client where the operator sets them', async () => {
    await using server = await start([job], env);
    expect(await read(await ask(server))).toMatchObject({ expires_in: 3_600 });
    expect(await tokensFor(server, await register(server))).toMatchObject({ expires_in: 600 });
    const registered = await read(
      await server.fetch('/register', json({ redirect_uris: ['https://app.example/callback'], ...confidential })),
    );
    const client = { id: String(registered.client_id), redirectUri: 'https://app.example/callback' };
    const { code } = await authorize(server, client);
    const tokens = await redeem(server, client, code, { client_secret: String(registered.client_secret) });
    expect(await read(tokens)).toMatchObject({ expires_in: 1_200 });
  });

  it('lifetimes are bounded by the setting of the resource', async () => {
    const resources = JSON.stringify([{ url: 'http://localhost:8080', accessTokenLifetime: '2m' }]);
    await using server = await start([job], { ...env, RESOURCES: resources });
    expect(await read(await ask(server))).toMatchObject({ expires_in: 120 });
  });
});
