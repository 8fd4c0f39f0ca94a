/**
 * Proves that the keys of a client are parsed one by one and selected by their own parameters, wherever they are
 * published (RFC 7517, RFC 7523).
 */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { WEB } from '../../support/client.ts';
import { form, ISSUER, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

const pair = generateKeyPair('ES256');
const good = async (members: object = {}) => ({ ...(await exportJWK((await pair).publicKey)), ...members });
const stranger = async (members: object = {}) => ({
  ...(await exportJWK((await generateKeyPair('ES256')).publicKey)),
  ...members,
});

async function ask(server: RunningServer, client: string, kid: string | undefined): Promise<number> {
  const assertion = await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', ...(kid && { kid }) })
    .setIssuer(client)
    .setSubject(client)
    .setAudience(ISSUER)
    .setExpirationTime('1m')
    .sign((await pair).privateKey);
  const parameters = {
    grant_type: 'authorization_code',
    code: 'unknown',
    code_verifier: 'x'.repeat(43),
    redirect_uri: WEB,
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
  return (await server.fetch('/token', form(parameters))).status;
}

const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt' };
const registration = async (server: RunningServer, keys: readonly unknown[]) =>
  server.fetch('/register', json({ ...metadata, jwks: { keys } }));

/** With a valid signature the request reaches the check of its code, which is unknown. */
const AUTHENTICATED = 400;
const kid = { kid: 'k' };

describe("RFC 7517 §5 client authentication with a key of the client's set", () => {
  it.each([
    ['null, text and a list beside it', async () => [null, 'x', [], await good(kid)], 'k'],
    ['one without kty beside it', async () => [{ kid: 'k' }, await good(kid)], 'k'],
    ['one without coordinates beside it', async () => [{ kty: 'EC', crv: 'P-256', kid: 'k' }, await good(kid)], 'k'],
    ['one of an unknown type beside it', async () => [{ kty: 'new', kid: 'k' }, await good(kid)], 'k'],
    ['RFC 7517 §4.5 another under its name', async () => [await stranger(kid), await good(kid)], 'k'],
    ['itself twice', async () => [await good(kid), await good(kid)], 'k'],
    ['no kid, and the assertion has one', async () => [await good()], 'k'],
    [
      'a kid, and the assertion has none',
      async () => [await stranger({ kid: '1' }), await good({ kid: '2' })],
      undefined,
    ],
    ['no kid anywhere, among several', async () => [await stranger(), await good()], undefined],
    [
      'x5c null, and private members that are null',
      async () => [await good({ ...kid, x5c: null, d: null, x5t: null })],
      'k',
    ],
    ['x5c that is no list', async () => [await good({ ...kid, x5c: 'MIIB' })], 'k'],
    ['an odd x5c in another', async () => [await stranger({ x5c: [null, ''] }), await good(kid)], 'k'],
    ['alg, use and kid null', async () => [await good({ alg: null, use: null, kid: null })], 'k'],
  ])('a client authenticates with its key set: %s', async (_, keys, name) => {
    await using server = await startServer();
    const client = await read(await registration(server, await keys()));
    expect(await ask(server, String(client.client_id), name)).toBe(AUTHENTICATED);
  });

  it.each([
    ['of another name', async () => [await good({ kid: 'other' })]],
    ['for encryption', async () => [await good({ ...kid, use: 'enc' })]],
    ['of another client', async () => [await stranger(kid)]],
    ['after ten others of its name', async () => [...(await Promise.all(Array.from({ length: 10 }, () => stranger(kid)))), await good(kid)]],
  ])('a client does not authenticate with a key %s', async (_, keys) => {
    await using server = await startServer();
    const client = await read(await registration(server, await keys()));
    expect(await ask(server, String(client.client_id), 'k')).toBe(401);
  }); // biome-ignore format: one row each

  it.each([
    ['no usable key', async () => [null, { kty: 'EC' }]],
    ['an empty list', async () => []],
    ['RFC 7517 §9.2 a private key', async () => [{ ...(await good(kid)), d: 'x' }]],
    ['a symmetric key', async () => [{ kty: 'oct', k: 'x' }, await good(kid)]],
  ])('RFC 7591 §3.2.2 a registration is refused when the key set has %s', async (_, keys) => {
    await using server = await startServer();
    const response = await registration(server, await keys());
    expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_client_metadata']);
  });

  it('a key set in CLIENTS is read the same way', async () => {
    const client = { client_id: 'job', ...metadata, jwks: { keys: [{ kid: 'k' }, await good()] } };
    await using server = await startServer({ env: { CLIENTS: JSON.stringify([client]) } });
    expect(await ask(server, 'job', 'k')).toBe(AUTHENTICATED);
  });
});
