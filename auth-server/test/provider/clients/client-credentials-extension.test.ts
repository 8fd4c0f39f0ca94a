/**
 * Proves the MCP extension "OAuth Client Credentials" (modelcontextprotocol/ext-auth, oauth-client-credentials.mdx): what the metadata says,
 * and that a machine client authenticates with a key (recommended) or a secret.
 */
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { form, ISSUER, json, MCP, type RunningServer, read, startServer } from '../../support/running-server.ts';

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const SECRET = 'a-secret-of-the-nightly-job';
const { privateKey, publicKey } = await generateKeyPair('ES256');
const keyed = {
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [await exportJWK(publicKey)] },
};
const machine = { grant_types: ['client_credentials'] };
const clients = [
  { ...machine, ...keyed, client_id: 'keyed' },
  { ...machine, client_id: 'posting', client_secret: SECRET, token_endpoint_auth_method: 'client_secret_post' },
];

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { CLIENTS: JSON.stringify(clients) } });
});
afterAll(() => server[Symbol.asyncDispose]());

const assertion = (claims: Record<string, unknown> = {}, header = {}) =>
  new SignJWT({ iss: 'keyed', sub: 'keyed', aud: ISSUER, jti: crypto.randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', ...header })
    .setIssuedAt()
    .setExpirationTime('1m')
    .sign(privateKey);
const ask = (parameters: Record<string, string>) =>
  server.fetch('/token', form({ grant_type: 'client_credentials', ...parameters }));

describe('the MCP extension OAuth Client Credentials', () => {
  it('"Server Metadata Requirements": both documents name private_key_jwt, client secrets and the algorithms', async () => {
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      expect(await read(await server.fetch(`/.well-known/${path}`)), path).toMatchObject({
        grant_types_supported: expect.arrayContaining(['client_credentials']),
        token_endpoint_auth_methods_supported: expect.arrayContaining(['private_key_jwt', 'client_secret_basic']),
        token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['ES256', 'RS256']),
      });
    }
  });

  it('"JWT Authentication": the client is named by its assertion alone (RFC 7523 §3), for one resource and scope', async () => {
    const answer = await ask({
      client_assertion_type: TYPE,
      client_assertion: await assertion(),
      resource: MCP,
      scope: 'mcp:tools',
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const tokens = await read(answer);
    expect(tokens).toMatchObject({ token_type: 'Bearer', scope: 'mcp:tools', expires_in: 600 });
    expect(tokens).not.toHaveProperty('refresh_token');
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ aud: MCP, sub: 'keyed', client_id: 'keyed' });
  });

  it.each<readonly [title: string, claims: Record<string, unknown>, header: object]>([
    ['for another server', { aud: 'https://other.example' }, {}],
    ['of another client', { sub: 'posting', iss: 'posting' }, {}],
    ['whose issuer is not its subject', { iss: 'other' }, {}],
    ['without jti', { jti: undefined }, {}],
    ['that has expired', { exp: 1 }, {}],
  ])('RFC 7523 §3 an assertion %s authenticates nobody', async (_title, claims, header) => {
    const made =
      claims.exp === undefined
        ? await assertion(claims, header)
        : await new SignJWT({ iss: 'keyed', sub: 'keyed', aud: ISSUER, jti: 'x', ...claims })
            .setProtectedHeader({ alg: 'ES256' })
            .sign(privateKey);
    const refused = await ask({ client_assertion_type: TYPE, client_assertion: made });
    expect([refused.status, (await read(refused)).error]).toEqual([401, 'invalid_client']);
  });

  it('RFC 7523 §5 an assertion is good once, and no secret takes the place of a key', async () => {
    const once = { client_assertion_type: TYPE, client_assertion: await assertion() };
    expect((await ask(once)).status).toBe(200);
    expect((await ask(once)).status).toBe(401);
    expect((await ask({ client_id: 'keyed', client_secret: SECRET })).status).toBe(401);
    expect((await ask({ client_id: 'keyed' })).status).toBe(401);
  });

  it('"Client Secret": in the content of the request (OAuth 2.1 §2.4.1)', async () => {
    const tokens = await read(await ask({ client_id: 'posting', client_secret: SECRET, resource: MCP }));
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ aud: MCP, sub: 'posting' });
  });

  it('"Overview": nobody becomes a machine client by registration (RFC 7591)', async () => {
    expect((await server.fetch('/register', json({ ...machine, ...keyed }))).status).toBe(400);
  });
});
