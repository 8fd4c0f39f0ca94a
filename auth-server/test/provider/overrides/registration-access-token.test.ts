/**
 * Proves that a client can manage its own registration where the operator allows that, and no other registration (RFC
 * 7592).
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { authorizePath, refresh, tokensFor, WEB } from '../../support/client.ts';
import { form, ISSUER, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const env = { REGISTRATION_MANAGEMENT: 'true', REGISTRATION_LIMIT: '1000' };

let server: RunningServer;
let store: RecordStore;
beforeAll(async () => {
  store = createSqliteStore(':memory:', systemClock);
  server = await startServer({ env, store });
});
afterAll(() => server[Symbol.asyncDispose]());

interface Registered {
  readonly id: string;
  readonly redirectUri: string;
  readonly uri: string;
  readonly token: string;
  readonly secret: unknown;
}

async function register(metadata: object = {}, at = server): Promise<Registered> {
  const body = await read(await at.fetch('/register', json({ redirect_uris: [WEB], client_name: 'App', ...metadata })));
  return {
    id: String(body.client_id),
    redirectUri: WEB,
    uri: String(body.registration_client_uri),
    token: String(body.registration_access_token),
    secret: body.client_secret,
  };
}

const call = (method: string, { uri, token }: Pick<Registered, 'uri' | 'token'>, at = server) =>
  at.fetch(uri, { method, headers: { authorization: `Bearer ${token}` } });
const put = (client: Registered, metadata: object, at = server) =>
  at.fetch(client.uri, {
    ...json({ client_id: client.id, redirect_uris: [WEB], ...metadata }, { authorization: `Bearer ${client.token}` }),
    method: 'PUT',
  });

describe('RFC 7591 §2 metadata that cannot be read as text', () => {
  it.each([
    ['client_name', { toString: 1 }, 400],
    ['jwks_uri', [[{ toString: 'x' }]], 400],
    ['id_token_signed_response_alg', { toString: 1 }, 200],
    ['introspection_signed_response_alg', [{ toString: null, valueOf: null }], 200],
    ['token_endpoint_auth_signing_alg', { toString: 1, valueOf: 1 }, 400],
    ['anything_else', { toString: 1 }, 200],
  ])('an unreadable %s is refused where it is used, and ignored where it is not, at registration and update', async (name, value, status) => {
    const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'none', [name]: value };
    const registered = await server.fetch('/register', json(metadata));
    const changed = await put(await register({ token_endpoint_auth_method: 'none' }), metadata);
    expect([registered.status, changed.status]).toEqual([status === 200 ? 201 : status, status]);
  }); // biome-ignore format: one row each
});

describe('RFC 7592 §3 the response to a registration', () => {
  it('the response names the management URL and token, and the token is not in the store or the log', async () => {
    const written: string[] = [];
    const memory = createSqliteStore(':memory:', systemClock);
    const watched: RecordStore = {
      ...memory,
      put: (kind, id, value, options) => {
        written.push(JSON.stringify([kind, id, value]));
        return memory.put(kind, id, value, options);
      },
    };
    await using watchedServer = await startServer({ env, store: watched });
    const client = await register({}, watchedServer);
    expect(client.uri).toBe(`${ISSUER}/register/${client.id}`);
    expect(client.token.length).toBeGreaterThan(60);
    await call('GET', client, watchedServer);
    expect(written.join()).toContain(client.id);
    expect(written.join()).not.toContain(client.token.slice(-43));
    expect(JSON.stringify(watchedServer.log)).not.toContain(client.token.slice(-43));
  });

  it('the response names neither where management is off, and nothing can be managed', async () => {
    await using plain = await startServer();
    const body = await read(await plain.fetch('/register', json({ redirect_uris: [WEB] })));
    expect(body).not.toHaveProperty('registration_access_token');
    expect(body).not.toHaveProperty('registration_client_uri');
    for (const method of ['GET', 'PUT', 'DELETE', 'HEAD']) {
      const path = `/register/${body.client_id}`;
      const response = await plain.fetch(path, { method, headers: { authorization: 'Bearer x' } });
      expect([method, response.status]).toEqual([method, 404]);
    }
  });
});

describe('RFC 7592 §2.1 reading a registration', () => {
  it('a read returns the current registration with its secret', async () => {
    const client = await register({ token_endpoint_auth_method: 'client_secret_post' });
    const response = await call('GET', client);
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await read(response)).toMatchObject({
      client_id: client.id,
      client_secret: client.secret,
      client_name: 'App',
      redirect_uris: [WEB],
      registration_access_token: client.token,
      registration_client_uri: client.uri,
    });
  });

  it("RFC 6750 §3.1 a read without the token, with a wrong one or another client's is 401", async () => {
    const [client, other] = [await register(), await register()];
    const forged = `${client.id}.${other.token.slice(other.token.lastIndexOf('.') + 1)}`;
    for (const token of ['x', '.', `${client.id}.`, forged, other.token, `${client.token}A`, `x${client.token}`]) {
      for (const method of ['GET', 'DELETE']) {
        const response = await call(method, { uri: client.uri, token });
        expect([token, response.status, (await read(response)).error]).toEqual([token, 401, 'invalid_token']);
        expect(response.headers.get('www-authenticate')).toMatch(/^Bearer .*error="invalid_token"/);
      }
    }
    const bare = await server.fetch(client.uri);
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, `Bearer realm="${ISSUER}"`]);
    expect((await call('GET', client)).status, 'whatever others tried').toBe(200);
  });

  it('a read is refused once the operator defines the client in CLIENTS, to protect the new secret', async () => {
    const client = await register();
    const CLIENTS = JSON.stringify([{ client_id: client.id, client_secret: 'of-the-operator!', redirect_uris: [WEB] }]);
    await using promoted = await startServer({
      env: { ...env, CLIENTS },
      store: { ...store, close: async () => {} },
    });
    for (const method of ['GET', 'DELETE']) expect((await call(method, client, promoted)).status).toBe(401);
  });

  it('a read is possible from web pages: CORS with the available methods', async () => {
    const client = await register();
    const preflight = await server.fetch(client.uri, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-methods')]).toEqual([
      204,
      'GET, PUT, DELETE',
    ]);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization,content-type');
    expect((await call('GET', client)).headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('RFC 7592 §2.2 updating a registration', () => {
  it('an update replaces the metadata, keeps id, secret and token, and applies from the next request', async () => {
    const client = await register({
      token_endpoint_auth_method: 'client_secret_basic',
      client_uri: 'https://a.example',
    });
    const moved = 'https://app.example/moved';
    const body = await read(
      await put(client, {
        client_name: 'New name',
        redirect_uris: [moved],
        token_endpoint_auth_method: 'client_secret_basic',
      }),
    );
    expect(body).toMatchObject({
      client_id: client.id,
      client_secret: client.secret,
      client_secret_expires_at: 0,
      client_id_issued_at: expect.any(Number),
      client_name: 'New name',
      redirect_uris: [moved],
      registration_access_token: client.token,
      registration_client_uri: client.uri,
    });
    expect(body, 'what is left out is gone').not.toHaveProperty('client_uri');
    expect((await server.fetch(authorizePath({ ...client, redirectUri: moved }))).status).toBe(303);
    expect((await server.fetch(authorizePath(client))).status).toBe(400);
    expect(server.log).toContainEqual(expect.objectContaining({ msg: 'client changed', client: client.id }));
  });

  it.each([
    ['http elsewhere than on loopback', { redirect_uris: ['http://evil.example'] }, 'invalid_redirect_uri'],
    ['javascript:', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['keys inside a network', { jwks_uri: 'https://169.254.169.254/' }, 'invalid_client_metadata'],
    ['a name like a book', { client_name: 'x'.repeat(121) }, 'invalid_client_metadata'],
    ['the id of another', { client_id: 'other' }, 'invalid_request'],
    ['a secret of its own', { client_secret: 'chosen-by-the-client' }, 'invalid_request'],
    ['when it was issued', { client_id_issued_at: 1 }, 'invalid_request'],
    ['when its secret expires', { client_secret_expires_at: 9_999_999_999 }, 'invalid_request'],
    ['its token', { registration_access_token: 'chosen' }, 'invalid_request'],
  ])('an update is validated like a registration: %s', async (_, metadata, error) => {
    const client = await register({ token_endpoint_auth_method: 'client_secret_basic' });
    const response = await put(client, { token_endpoint_auth_method: 'client_secret_basic', ...metadata });
    expect([response.status, (await read(response)).error]).toEqual([400, error]);
    expect(await read(await call('GET', client))).toMatchObject({ redirect_uris: [WEB], client_secret: client.secret });
  });

  it.each(['null', '[]', '{"client_id":', '1'])('an update refuses a body that is no object: %s', async (body) => {
    const client = await register();
    const response = await server.fetch(client.uri, {
      method: 'PUT',
      headers: { authorization: `Bearer ${client.token}`, 'content-type': 'application/json' },
      body,
    });
    expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_request']);
  });

  it('RFC 7591 §2 an update issues a secret to a client that becomes confidential, and removes it from a public one', async () => {
    const client = await register({ token_endpoint_auth_method: 'none' });
    expect(client.secret).toBeUndefined();
    const confidential = await read(await put(client, { token_endpoint_auth_method: 'client_secret_post' }));
    expect(confidential).toMatchObject({ client_secret: expect.stringMatching(/.{43,}/), client_secret_expires_at: 0 });
    const open = await read(await put(client, { token_endpoint_auth_method: 'none' }));
    expect(open).not.toHaveProperty('client_secret');
    expect(open).not.toHaveProperty('client_secret_expires_at');
  });

  it('an update does not restore a client that was removed at the same moment, at any replica', async () => {
    await using replica = await startServer({ env, store: { ...store, close: async () => {} } });
    const client = await register();
    expect((await call('GET', client, replica)).status, 'the replica knows it now').toBe(200);
    await store.delete('Client', client.id);
    const response = await put(client, { client_name: 'Undead' }, replica);
    expect([response.status, (await read(response)).error]).toEqual([401, 'invalid_token']);
    expect(await store.get('Client', client.id)).toBeUndefined();
  });

  it('an update counts towards the registration limit of its address', async () => {
    await using limited = await startServer({ env: { ...env, REGISTRATION_LIMIT: '2' } });
    const client = await register({}, limited);
    expect((await put(client, {}, limited)).status).toBe(200);
    expect((await put(client, {}, limited)).status).toBe(429);
    expect((await call('GET', client, limited)).status).toBe(200);
  });
});

describe('RFC 7592 §2.3 deleting a registration', () => {
  let client: Registered;
  beforeEach(async () => {
    client = await register();
  });

  it('a deletion removes the client and everything granted to it', async () => {
    const tokens = await tokensFor(server, client);
    const removed = await call('DELETE', client);
    expect([removed.status, removed.headers.get('cache-control'), await removed.text()]).toEqual([204, 'no-store', '']);
    const refused = await refresh(server, client, tokens.refresh_token);
    expect([refused.status, (await read(refused)).error]).toEqual([401, 'invalid_client']);
    const revoked = await server.fetch('/revoke', form({ client_id: client.id, token: String(tokens.refresh_token) }));
    expect(revoked.status).toBe(401);
    const page = await server.fetch(authorizePath(client), { headers: { accept: 'text/html' } });
    expect([page.status, (await page.text()).includes('This app is not registered here')]).toEqual([400, true]);
    expect(server.log).toContainEqual(expect.objectContaining({ msg: 'client removed', client: client.id }));
  });

  it('a deletion makes the management token invalid', async () => {
    await call('DELETE', client);
    for (const method of ['GET', 'DELETE']) expect((await call(method, client)).status).toBe(401);
    expect((await put(client, {})).status).toBe(401);
  });
});

it('RFC 7592 §1.3 the management token is valid as long as its client', async () => {
  const clock = new FakeClock(Date.now());
  const short = { ...env, CLIENT_LIFETIME: '100s', GRANT_LIFETIME: '100s' };
  await using brief = await startServer({ env: short, store: createSqliteStore(':memory:', clock), clock });
  const client = await register({}, brief);
  for (let use = 0; use < 4; use += 1) {
    clock.advance(60);
    expect((await call('GET', client, brief)).status).toBe(200);
  }
  clock.advance(100);
  expect((await call('GET', client, brief)).status).toBe(401);
});
