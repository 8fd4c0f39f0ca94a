/**
 * Proves that harmless variants of a registration and of client authentication are accepted with their meaning: empty
 * members (RFC 7591 §2), no method, a Basic header without a secret (RFC 6749 §2.3.1).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorize, NATIVE, redeem, refresh, register, VERIFIER, WEB } from '../../support/client.ts';
import { form, ISSUER, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const CLIENTS = JSON.stringify([
  { client_id: 'portal', redirect_uris: [WEB], application_type: 'web' },
  { client_id: 'tool', redirect_uris: [NATIVE], application_type: 'native' },
  {
    client_id: 'copied',
    redirect_uris: [WEB],
    response_types: ['code'],
    contacts: ['a@app.example'],
    logo_uri: `${WEB}.png`,
    tos_uri: WEB,
    policy_uri: WEB,
    software_id: 'app',
  },
]);
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION_LIMIT: '1000', REGISTRATION_MANAGEMENT: 'true', CLIENTS } });
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (metadata: object) => server.fetch('/register', json(metadata));
const basic = (id: string, secret = '') => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });

describe('RFC 7591 §2 a registration', () => {
  it.each([
    ['empty lists', { grant_types: [], response_types: [], contacts: [] }],
    ['lists of nothing', { grant_types: [null], response_types: [''], contacts: [null, ''] }],
    [
      'null',
      { grant_types: null, response_types: null, contacts: null, jwks: null, jwks_uri: null, client_name: null },
    ],
    ['empty sets of keys', { jwks: { keys: [] } }],
    ['empty objects for keys', { jwks: {} }],
    ['empty texts', { grant_types: '', client_name: '', client_uri: '', jwks_uri: '', application_type: '' }],
  ])('a registration with %s gets the defaults, and signs people in', async (_, metadata) => {
    const body = await read(await post({ redirect_uris: [NATIVE, null, ''], ...metadata }));
    expect(body).toMatchObject({
      redirect_uris: [NATIVE],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    });
    expect(body).not.toHaveProperty('contacts');
    const client = { id: String(body.client_id), redirectUri: NATIVE };
    const tokens = await read(await redeem(server, client, (await authorize(server, client)).code));
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200);
  });

  it.each([
    'id_token_signed_response_alg', 'request_object_signing_alg', 'token_endpoint_auth_signing_alg', 'token_endpoint_auth_method',
    'userinfo_signed_response_alg', 'introspection_signed_response_alg', 'authorization_signed_response_alg',
    'id_token_encrypted_response_alg', 'client_secret',
  ])('a registration with an object in the place of %s causes no server error', async (name) => {
    for (const value of [{ toString: 1, valueOf: 2 }, [{ toString: 1, valueOf: 2 }], 5, true]) {
      expect((await post({ redirect_uris: [NATIVE], token_endpoint_auth_method: 'none', [name]: value })).status).toBeLessThan(500);
    }
    expect(server.log.filter(({ level }) => level === 'error')).toEqual([]);
  }); // biome-ignore format: one list

  it('a registration with an application_type of null is a web application', async () => {
    const body = await read(await post({ redirect_uris: [WEB], application_type: null }));
    expect(body).toMatchObject({ application_type: 'web', token_endpoint_auth_method: 'client_secret_basic' });
  });

  it('a registration of private_key_jwt with an empty key set is refused', async () => {
    const response = await post({
      redirect_uris: [WEB],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [] },
    });
    expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_client_metadata']);
  });

  it.each([
    ['no redirect URI', { redirect_uris: [] }],
    ['empty redirect URIs', { redirect_uris: ['', null] }],
  ])('a registration with %s is refused: there is no default', async (_, metadata) => {
    expect((await post(metadata)).status).toBe(400);
  });

  it.each([undefined, null, ''])(
    'a web application whose method is %j gets client_secret_basic and a secret',
    async (method) => {
      const body = await read(await post({ redirect_uris: [WEB, `${WEB}/2`], token_endpoint_auth_method: method }));
      expect(body).toMatchObject({
        token_endpoint_auth_method: 'client_secret_basic',
        client_secret: expect.stringMatching(/^[\w-]{43,}$/),
        client_secret_expires_at: 0,
      });
      const client = { id: String(body.client_id), redirectUri: WEB };
      const exchange = async (headers: Record<string, string>, parameters: Record<string, string> = {}) => {
        const { code } = await authorize(server, client);
        const grant = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, ...parameters };
        return server.fetch('/token', { ...form(grant), headers });
      };
      expect((await exchange(basic(client.id, String(body.client_secret)))).status).toBe(200);
      expect((await exchange({}, { client_id: client.id, client_secret: String(body.client_secret) })).status).toBe(
        200,
      );
      expect((await exchange({}, { client_id: client.id })).status).toBe(401);
    },
  );

  it.each([
    ['a loopback address', { redirect_uris: [NATIVE] }],
    ['localhost by https', { redirect_uris: ['https://localhost/callback'] }],
    ['an app’s own scheme', { redirect_uris: ['com.example.app:/callback'] }],
    ['https and a loopback address', { redirect_uris: [WEB, NATIVE] }],
    ['https, and says that it is native', { redirect_uris: [WEB], application_type: 'native' }],
  ])('a native app with %s and no method is public (RFC 8252 §8.5)', async (_, metadata) => {
    const body = await read(await post(metadata));
    expect(body).toMatchObject({ token_endpoint_auth_method: 'none' });
    expect(body).not.toHaveProperty('client_secret');
  });

  it.each(['client_secret_basic', 'none'])(
    'RFC 7592 §2.2 an update without a method keeps %s',
    async (token_endpoint_auth_method) => {
      const before = await read(await post({ redirect_uris: [WEB], token_endpoint_auth_method }));
      const { client_id, client_secret } = before;
      const changed = await server.fetch(String(before.registration_client_uri), {
        ...json({ client_id, redirect_uris: [WEB], client_name: 'New' }),
        method: 'PUT',
        headers: {
          authorization: `Bearer ${before.registration_access_token}`,
          'content-type': 'application/json',
        },
      });
      expect(await read(changed)).toMatchObject({
        client_name: 'New',
        token_endpoint_auth_method,
        ...(client_secret !== undefined && { client_secret }),
      });
    },
  );

  it.each(['portal', 'tool', 'copied'])(
    'RFC 7591 §2 null and empty members in CLIENTS are accepted, and add no secret: %s',
    async (id) => {
      const client = { id, redirectUri: id === 'tool' ? NATIVE : WEB };
      expect((await redeem(server, client, (await authorize(server, client)).code)).status).toBe(200);
    },
  );
});

describe('RFC 6749 §2.3.1 a Basic header with an empty secret', () => {
  it.each([
    ['with client_id in the body', true],
    ['alone', false],
  ])(
    'an empty Basic secret identifies a public client, %s: code exchange, refresh, pushed request, revocation',
    async (_, twice) => {
      const client = await register(server, WEB);
      const send = (path: string, parameters: Record<string, string>) =>
        server.fetch(path, {
          ...form({ ...parameters, ...(twice && { client_id: client.id }) }),
          headers: basic(client.id),
        });
      const pushed = await send('/par', {
        redirect_uri: WEB,
        response_type: 'code',
        code_challenge: 'x'.repeat(43),
        code_challenge_method: 'S256',
      });
      expect(pushed.status).toBe(201);
      const { code } = await authorize(server, client);
      const exchanged = await send('/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER });
      expect(exchanged.status).toBe(200);
      const { refresh_token: token } = await read(exchanged);
      const refreshed = await send('/token', { grant_type: 'refresh_token', refresh_token: String(token) });
      expect(refreshed.status).toBe(200);
      expect((await send('/revoke', { token: String(token) })).status).toBe(200);
      expect((await refresh(server, client, token)).status).toBe(400);
    },
  );

  it('an empty Basic secret identifies a client whose id is a URL, percent-encoded or not', async () => {
    for (const [id, scheme] of [
      [encodeURIComponent('https://app.example/client.json'), 'Basic'],
      ['https://app.example/client.json', 'basic'],
    ] as const) {
      const headers = { authorization: `${scheme} ${btoa(`${id}:`)}` };
      const answer = await server.fetch('/token', {
        ...form({ grant_type: 'refresh_token', refresh_token: 'x' }),
        headers,
      });
      expect([answer.status, (await read(answer)).error]).toEqual([401, 'invalid_client']);
    }
    const asked = server.log.filter(({ document }) => JSON.stringify(document)?.includes('app.example'));
    expect(asked).toHaveLength(2);
  });

  it('an empty Basic secret of a confidential client is refused with 401 and a Basic challenge (RFC 6749 §5.2)', async () => {
    const { client_id } = await read(await post({ redirect_uris: [WEB] }));
    for (const path of ['/token', '/par', '/revoke']) {
      const refused = await server.fetch(path, { ...form({ token: 'x' }), headers: basic(String(client_id)) });
      expect([path, refused.status, (await read(refused)).error]).toEqual([path, 401, 'invalid_client']);
      expect(refused.headers.get('www-authenticate')).toBe(`Basic realm="${ISSUER}", error="invalid_client"`);
    }
  });

  it('an empty Basic secret is accepted beside a secret in the body, which then authenticates the client', async () => {
    const { client_id: id, client_secret: secret } = await read(await post({ redirect_uris: [WEB] }));
    const ask = (client_secret: string) =>
      server.fetch('/token', {
        ...form({ grant_type: 'refresh_token', refresh_token: 'x', client_secret }),
        headers: basic(String(id)),
      });
    expect((await read(await ask(String(secret)))).error).toBe('invalid_grant');
    expect((await read(await ask('wrong'))).error).toBe('invalid_client');
  });

  it('RFC 6749 §2.3 the Basic header and the body must name the same client', async () => {
    const [one, other] = [await register(server, WEB), await register(server, WEB)];
    for (const path of ['/token', '/par', '/revoke']) {
      const answer = await server.fetch(path, { ...form({ client_id: other.id, token: 'x' }), headers: basic(one.id) });
      expect([path, answer.status, (await read(answer)).error]).toEqual([path, 400, 'invalid_request']);
    }
  });

  it.each(['Basic', 'Basic Og==', 'Basic !!!', `Basic ${btoa('%zz:')}`, `Basic ${btoa('no colon')}`, 'Bearer x'])(
    'an invalid Authorization header is refused: %s',
    async (authorization) => {
      const { id } = await register(server, WEB);
      const grant = form({ grant_type: 'refresh_token', refresh_token: 'x', client_id: id });
      const answer = await server.fetch('/token', { ...grant, headers: { authorization } });
      expect([answer.status, (await read(answer)).error]).toEqual([400, 'invalid_request']);
    },
  );
});
