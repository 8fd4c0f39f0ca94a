/** Proves RFC 9449 at the token endpoint: tokens are bound to the client's key, and a proof is accepted once. */
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authorize, register, type TestClient, VERIFIER } from '../support/client.ts';
import { form, ISSUER, type RunningServer, read, startServer } from '../support/running-server.ts';

let server: RunningServer;
let client: TestClient;
beforeEach(async () => {
  server = await startServer();
  client = await register(server);
});
afterEach(() => server[Symbol.asyncDispose]());

const pair = await generateKeyPair('ES256');
const other = await generateKeyPair('ES256');
const jwk = await exportJWK(pair.publicKey);

const proof = async (key = pair) =>
  new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(key.publicKey) })
    .setIssuedAt()
    .sign(key.privateKey);

const token = (parameters: Record<string, string>, dpop?: string) =>
  server.fetch('/token', {
    ...form({ client_id: client.id, ...parameters }),
    ...(dpop && { headers: { dpop } }),
  });
const redeem = (code: string, dpop: string) =>
  token({ grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, code_verifier: VERIFIER }, dpop);
const refresh = (refreshToken: unknown, dpop?: string) =>
  token({ grant_type: 'refresh_token', refresh_token: String(refreshToken) }, dpop);

describe('RFC 9449 DPoP', () => {
  it("§5 the access token, and a public client's refresh token, are bound to the key of the proof", async () => {
    const tokens = await read(await redeem((await authorize(server, client)).code, await proof()));
    expect(tokens.token_type).toBe('DPoP');
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    expect((await refresh(tokens.refresh_token)).status).toBe(400);
    expect((await refresh(tokens.refresh_token, await proof(other))).status).toBe(400);
    const next = await read(await refresh(tokens.refresh_token, await proof()));
    expect(next.token_type).toBe('DPoP');
  });

  it('§11.1 exactly one of many concurrent requests with one proof succeeds', async () => {
    const tokens = await read(await redeem((await authorize(server, client)).code, await proof()));
    const same = await proof();
    const answers = await Promise.all(Array.from({ length: 6 }, () => refresh(tokens.refresh_token, same)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect((await refresh(tokens.refresh_token, same)).status).toBe(400);
    const fresh = await Promise.all(
      Array.from({ length: 2 }, async () => refresh(tokens.refresh_token, await proof())),
    );
    expect(
      fresh.map(({ status }) => status),
      'a fresh proof is another attempt',
    ).toEqual([200, 200]);
  });

  it('§5.1 the metadata announces DPoP', async () => {
    const metadata = await read(await server.fetch('/.well-known/oauth-authorization-server'));
    expect(metadata.dpop_signing_alg_values_supported).toContain('ES256');
    expect(metadata.pushed_authorization_request_endpoint).toBe(`${ISSUER}/par`);
  });
});
