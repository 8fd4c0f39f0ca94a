/** Proves that what ends or binds the approval of a browser does the same to that of a device: keys, rules, logouts, organisations. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { authorize, authorizePath, NATIVE, redeem, refresh } from '../../support/client.ts';
import { codesFor, DEVICE_GRANT, ON, poll, registerDevice, startWithDevices, Visitor } from '../../support/device.ts';
import { form, ISSUER, read, startServer } from '../../support/running-server.ts';
import { provision, setActive, startWithScim } from '../../support/scim.ts';

describe('an approval of a device', () => {
  it('RFC 9449 §5 tokens are bound to the key of the proof with which the device asks for them', async () => {
    const pair = await generateKeyPair('ES256');
    const jwk = await exportJWK(pair.publicKey);
    const proof = () =>
      new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setIssuedAt()
        .sign(pair.privateKey);
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    expect((await poll(server, client, codes, {}, { dpop: await proof() })).json.error).toBe('authorization_pending');
    await new Visitor(server).approve(codes.user_code);
    const { json } = await poll(server, client, codes, {}, { dpop: await proof() });
    expect(json.token_type).toBe('DPoP');
    expect(decodeJwt(String(json.access_token))).toMatchObject({ cnf: { jkt: await calculateJwkThumbprint(jwk) } });
    expect((await refresh(server, client, json.refresh_token)).status).toBe(400);
  });

  it('a client that registered for bound tokens gets none without a proof', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server, { dpop_bound_access_tokens: true });
    const codes = await codesFor(server, client);
    await new Visitor(server).approve(codes.user_code);
    expect((await poll(server, client, codes)).status).toBe(400);
  });

  it('a person who is deactivated after the approval gets no token, and no refresh', async () => {
    await using server = await startWithScim({ env: ON });
    const client = await registerDevice(server);
    const [early, late] = [await codesFor(server, client), await codesFor(server, client)];
    const visitor = new Visitor(server);
    await visitor.approve(early.user_code);
    const { json } = await poll(server, client, early);
    const asked = await visitor.confirm(late.user_code);
    await visitor.browser.submit(asked.response, 'approve');
    await setActive(server, await provision(server, 'alice'), false);
    expect((await poll(server, client, late)).json.error).toBe('invalid_grant');
    expect((await read(await refresh(server, client, json.refresh_token))).error).toBe('invalid_grant');
  });

  it('RFC 7009 §2.1 a revoked refresh token ends the approval', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server);
    const codes = await codesFor(server, client);
    await new Visitor(server).approve(codes.user_code);
    const { json } = await poll(server, client, codes);
    await server.fetch('/revoke', form({ client_id: client.id, token: String(json.refresh_token) }));
    expect((await refresh(server, client, json.refresh_token)).status).toBe(400);
  });

  it('a device that was approved approves no browser, and a browser no device', async () => {
    await using server = await startWithDevices();
    const client = await registerDevice(server, {
      grant_types: ['authorization_code', 'refresh_token', DEVICE_GRANT],
      response_types: ['code'],
    });
    const visitor = new Visitor(server);
    const codes = await codesFor(server, client);
    await visitor.approve(codes.user_code);
    const { page } = await visitor.browser.follow(authorizePath(client));
    expect(await page?.text()).toContain('Access goes to');
    await authorize(server, client, {}, { browser: visitor.browser });
    const next = await codesFor(server, client);
    expect((await visitor.confirm(next.user_code)).markup).toContain(next.user_code);
    expect((await poll(server, client, next)).json.error).toBe('authorization_pending');
  });

  it('DEVICE_AUTHORIZATION=off later ends no approval: refreshes go on, and codes that wait are refused', async () => {
    const store = { ...createSqliteStore(':memory:', systemClock) };
    const kept = { ...store, close: async () => {} };
    const before = await startServer({ env: ON, store: kept });
    const client = await registerDevice(before);
    const [used, waiting] = [await codesFor(before, client), await codesFor(before, client)];
    await new Visitor(before).approve(used.user_code);
    const { json } = await poll(before, client, used);
    await before[Symbol.asyncDispose]();
    await using after = await startServer({ store: kept });
    expect((await refresh(after, client, json.refresh_token)).status).toBe(200);
    expect((await poll(after, client, waiting)).json.error).toBe('unsupported_grant_type');
    await store.close();
  });

  it('a client that the operator added may use the grant, with a secret as well', async () => {
    const added = {
      client_id: 'build-machines',
      client_secret: 'a-secret-of-the-operator',
      grant_types: [DEVICE_GRANT, 'refresh_token'],
    };
    await using server = await startWithDevices({ env: { CLIENTS: JSON.stringify([added]) } });
    const client = { id: added.client_id, redirectUri: NATIVE };
    const secret = { client_secret: added.client_secret };
    const codes = await codesFor(server, client, secret);
    const visitor = new Visitor(server);
    const asked = await visitor.confirm(codes.user_code);
    expect(asked.markup).toContain('The operator of this server added this app.');
    await visitor.browser.signIn(asked.response, 'alice');
    expect((await poll(server, client, codes, secret)).status).toBe(200);
    expect((await redeem(server, client, 'no code', secret)).status).toBe(400);
  });
});
