/** Proves that registration is open, needs a token, or is off, and that its limits hold (RFC 7591 §3, §5). */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createInitialAccessTokens } from '../../../src/registration/initial-access-tokens.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { authorizePath, refresh, register, tokensFor, WEB } from '../../support/client.ts';
import { ClientHost, trustTestCertificate } from '../../support/client-host.ts';
import { json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const METADATA = '/.well-known/oauth-authorization-server';
const APP = { redirect_uris: ['https://app.example/callback'] };

const post = (server: RunningServer, metadata: object = APP, headers: Record<string, string> = {}) =>
  server.fetch('/register', json(metadata, headers));
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('RFC 7591 §3 REGISTRATION=token', () => {
  async function start(clock = systemClock) {
    const store = createSqliteStore(':memory:', clock);
    const server = await startServer({ store, env: { REGISTRATION: 'token' }, clock });
    return { server, tokens: createInitialAccessTokens(store, clock) };
  }

  it('a client registers with an initial access token, as the metadata promises', async () => {
    const { server: it, tokens } = await start();
    await using server = it;
    expect(await read(await server.fetch(METADATA))).toHaveProperty('registration_endpoint');
    const { token, id } = await tokens.add({ purpose: 'a test', lifetime: 60 });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect((await post(server, APP, { authorization: `${scheme} ${token}` })).status).toBe(201);
    }
    expect(server.log).toContainEqual(expect.objectContaining({ msg: 'client registered', initialAccess: id }));
    expect(JSON.stringify(server.log)).not.toContain(token);
  });

  it('RFC 6750 §3.1 a registration without a token is 401 with a challenge and no error, readable for web pages', async () => {
    const { server: it } = await start();
    await using server = it;
    for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }]) {
      const response = await post(server, APP, headers);
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
      expect(await read(response)).toMatchObject({ error_description: expect.stringContaining('operator') });
    }
  });

  it('RFC 6750 §3.1 a registration with a wrong, expired or removed token is 401 invalid_token', async () => {
    const clock = new FakeClock();
    const { server: it, tokens } = await start(clock);
    await using server = it;
    const late = await tokens.add({ purpose: 'late', lifetime: 60 });
    clock.advance(60);
    const removed = await tokens.add({ purpose: 'removed', lifetime: 60 });
    await tokens.remove(removed.id);
    const good = await tokens.add({ purpose: 'good', lifetime: 60 });
    for (const token of ['wrong', late.token, removed.token, good.id, `${good.token}x`, good.token.slice(0, -1)]) {
      const response = await post(server, APP, bearer(token));
      expect([response.status, (await read(response)).error]).toEqual([401, 'invalid_token']);
      expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"');
    }
    expect((await post(server, APP, bearer(good.token))).status).toBe(201);
  });

  it('RFC 6750 §2 a token in the query, the body or a form is not accepted', async () => {
    const { server: it, tokens } = await start();
    await using server = it;
    const { token } = await tokens.add({ purpose: 'a test', lifetime: 60 });
    expect((await server.fetch(`/register?access_token=${token}`, json(APP))).status).toBe(401);
    expect((await post(server, { ...APP, access_token: token })).status).toBe(401);
  });

  it('a token for two clients is accepted twice, and a refused registration does not use it up', async () => {
    const { server: it, tokens } = await start();
    await using server = it;
    const { token } = await tokens.add({ purpose: 'a test', lifetime: 60, uses: 2 });
    const attempt = async (metadata: object) => (await post(server, metadata, bearer(token))).status;
    expect(await attempt({ redirect_uris: ['http://evil.example'] })).toBe(400);
    expect(await attempt(APP)).toBe(201);
    expect(await attempt({})).toBe(400);
    expect(await attempt(APP)).toBe(201);
    expect(await attempt(APP)).toBe(401);
  });

  it('a token registers exactly as many of the concurrent clients as it allows, and the others get 401', async () => {
    const { server: it, tokens } = await start();
    await using server = it;
    const { token } = await tokens.add({ purpose: 'a test', lifetime: 60, uses: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(server, APP, bearer(token))));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(3).fill(201), ...Array(7).fill(401)]);
  });
});

describe('REGISTRATION=off', () => {
  it('RFC 8414 §2 the metadata names no registration endpoint, and a registration is answered with advice', async () => {
    await using server = await startServer({ env: { REGISTRATION: 'off' } });
    expect(await read(await server.fetch(METADATA))).not.toHaveProperty('registration_endpoint');
    for (const path of ['/register', '/register/', '/REGISTER', '/register/some-client']) {
      const response = await server.fetch(path, json(APP));
      expect([path, response.status]).toEqual([path, 404]);
      expect(await read(response)).toMatchObject({ error_description: expect.stringContaining('operator') });
    }
    expect((await post(server)).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('RFC 7591 §3.2.1 a registered client keeps working: sign-in, code and refresh', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    const kept = { ...store, close: async () => {} };
    let app: Awaited<ReturnType<typeof register>>;
    {
      await using open = await startServer({ store: kept });
      app = await register(open);
    }
    await using server = await startServer({ store, env: { REGISTRATION: 'off' } });
    const tokens = await tokensFor(server, app);
    expect((await refresh(server, app, tokens.refresh_token)).status).toBe(200);
  });

  it('a client with a metadata document and a client of CLIENTS are accepted without registration', async () => {
    trustTestCertificate();
    await using host = await ClientHost.start();
    const known = { client_id: 'portal', redirect_uris: [WEB] };
    const env = {
      REGISTRATION: 'off',
      CLIENT_METADATA_PRIVATE_HOSTS: host.name,
      CLIENTS: JSON.stringify([known]),
    };
    await using server = await startServer({ env });
    for (const id of [host.publish(), known.client_id]) {
      expect(await tokensFor(server, { id, redirectUri: WEB })).toHaveProperty('access_token');
    }
  });
});

describe('RFC 7591 §5 the limits of registration', () => {
  it("RFC 6585 §4 all addresses share a global limit, and one address's refusals do not count towards it", async () => {
    const env = { REGISTRATION_LIMIT: '2', REGISTRATION_LIMIT_GLOBAL: '3', TRUSTED_PROXIES: 'loopback' };
    await using server = await startServer({ env });
    const from = async (address: string) => post(server, APP, { 'x-forwarded-for': address });
    const statuses: number[] = [];
    for (const address of ['1.1.1.1', '1.1.1.1', '1.1.1.1', '1.1.1.1', '2.2.2.2']) {
      statuses.push((await from(address)).status);
    }
    expect(statuses).toEqual([201, 201, 429, 429, 201]);
    const refused = await from('3.3.3.3');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.headers.get('access-control-expose-headers')).toContain('Retry-After');
    expect(await read(refused)).toMatchObject({ error: 'too_many_requests' });
  });

  it('a caller without an initial access token cannot use up the limit of those who have one', async () => {
    const store = createSqliteStore(':memory:', systemClock);
    const env = { REGISTRATION: 'token', REGISTRATION_LIMIT_GLOBAL: '1' };
    await using server = await startServer({ store, env });
    const tokens = createInitialAccessTokens(store, systemClock);
    const { token } = await tokens.add({ purpose: 'a test', lifetime: 60 });
    for (let attempt = 0; attempt < 3; attempt += 1) expect((await post(server)).status).toBe(401);
    expect((await post(server, APP, bearer(token))).status).toBe(201);
    expect((await post(server, APP, bearer(token))).status).toBe(429);
  });

  it('RFC 6177 §2 the addresses of one IPv6 network count as one caller', async () => {
    await using server = await startServer({ env: { REGISTRATION_LIMIT: '1', TRUSTED_PROXIES: 'loopback' } });
    const from = async (address: string) => (await post(server, APP, { 'x-forwarded-for': address })).status;
    expect(await from('2001:db8:0:1::1')).toBe(201);
    expect(await from('2001:db8:0:1:ffff::2')).toBe(429);
    expect(await from('2001:db8:0:2::1')).toBe(201);
  });

  it('a registered client is never refused for a registration limit', async () => {
    await using server = await startServer({ env: { REGISTRATION_LIMIT: '1', REGISTRATION_LIMIT_GLOBAL: '1' } });
    const app = await register(server);
    expect((await post(server)).status).toBe(429);
    expect((await server.fetch(authorizePath(app))).status).toBe(303);
  });
});
