/** Proves that an exchange (RFC 8693) gives nothing to whom the operator has not named, for a token that is not theirs to exchange. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXCHANGE_GRANT } from '../../src/clients/client.ts';
import { generateSigningKey } from '../../src/keys/signing-key.ts';
import { authorize, redeem, register, type TestClient, tokensFor, WEB } from '../support/client.ts';
import {
  assertionOf,
  BILLING,
  exchange,
  ID_TOKEN,
  keyed,
  LEDGER,
  otherPair,
  pair,
  startExchange,
} from '../support/exchange.ts';
import { form, ISSUER, json, MCP, type RunningServer, read } from '../support/running-server.ts';
import { scim, TOKEN } from '../support/scim.ts';

const SECRET = 'a-secret-that-nobody-could-guess';
const job = { client_id: 'job', client_secret: SECRET, grant_types: ['client_credentials'] };
const keyless = await keyed('unnamed', pair);

let server: RunningServer;
let client: TestClient;
let token: string;
beforeAll(async () => {
  server = await startExchange({ clients: [job, keyless], env: { FAILURE_LIMIT: '1000' } });
  client = await register(server);
  token = String((await tokensFor(server, client, { resource: MCP })).access_token);
});
afterAll(() => server[Symbol.asyncDispose]());

const outcome = async (response: Response) => [response.status, (await read(response)).error];
const BAD_SUBJECT = [400, 'invalid_request'];
const BAD_TARGET = [400, 'invalid_target'];
const BILLING_SERVER = { id: 'billing-server', key: otherPair };

describe('RFC 8693 §2.1, §5 who may exchange', () => {
  it('a client that proves no key of its own gets nothing', async () => {
    const as = (credentials: Record<string, string>, headers = {}) =>
      exchange(server, token, {}, { credentials, headers }).then(outcome);
    expect(await as({}), 'nobody').toEqual([400, 'invalid_request']);
    expect(await as({ client_id: 'mcp-server' }), 'only its name').toEqual([401, 'invalid_client']);
    expect(await as({ client_id: 'mcp-server', client_secret: SECRET }), 'a secret').toEqual([401, 'invalid_client']);
    expect(await as({}, { authorization: `Basic ${btoa(`mcp-server:${SECRET}`)}` })).toEqual([401, 'invalid_client']);
    expect(await outcome(await exchange(server, token, {}, { key: otherPair })), 'another key').toEqual([
      401,
      'invalid_client',
    ]);
    expect(await as({ client_id: client.id }), 'a public client').toEqual([400, 'unauthorized_client']);
    const machine = { authorization: `Basic ${btoa(`job:${SECRET}`)}` };
    expect(await as({}, machine), 'a client with a secret').toEqual([400, 'unauthorized_client']);
  });

  it('RFC 7523 §3 an assertion is accepted once', async () => {
    const credentials = {
      client_assertion: await assertionOf('mcp-server', pair),
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    };
    expect((await exchange(server, token, {}, { credentials })).status).toBe(200);
    expect(await outcome(await exchange(server, token, {}, { credentials }))).toEqual([401, 'invalid_client']);
  });

  it('a client that registered itself with keys cannot have the grant, whatever it asks for', async () => {
    const jwks = { keys: [await exportJWK(otherPair.publicKey)] };
    const metadata = { redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt', jwks };
    const grants = ['authorization_code', EXCHANGE_GRANT];
    const registered = await read(await server.fetch('/register', json({ ...metadata, grant_types: grants })));
    const caller = { id: String(registered.client_id), key: otherPair };
    expect(await outcome(await exchange(server, token, {}, caller))).toEqual([400, 'unauthorized_client']);
  });

  it('a client of the operator that the policy does not name gets nothing', async () => {
    expect(await outcome(await exchange(server, token, {}, { id: 'unnamed' }))).toEqual(BAD_TARGET);
  });
});

describe('RFC 8693 §2.2.2 whose token may be exchanged', () => {
  it('a token for another MCP server is refused, also one that this client got by an exchange', async () => {
    const billing = await tokensFor(server, client, { resource: BILLING });
    expect(await outcome(await exchange(server, billing.access_token))).toEqual(BAD_SUBJECT);
    const own = await read(await exchange(server, token));
    expect(await outcome(await exchange(server, own.access_token, { resource: LEDGER }))).toEqual(BAD_SUBJECT);
    expect(await outcome(await exchange(server, token, { resource: LEDGER }, BILLING_SERVER))).toEqual(BAD_SUBJECT);
  });

  it('a refresh token, an id token and the token of a machine are no access tokens of a person', async () => {
    const { code } = await authorize(server, client, { scope: 'openid mcp:tools', resource: MCP });
    const tokens = await read(await redeem(server, client, code));
    expect(tokens.id_token).toEqual(expect.any(String));
    expect(await outcome(await exchange(server, tokens.refresh_token))).toEqual(BAD_SUBJECT);
    expect(await outcome(await exchange(server, tokens.id_token))).toEqual(BAD_SUBJECT);
    const typed = { subject_token_type: ID_TOKEN };
    expect(await outcome(await exchange(server, tokens.id_token, typed))).toEqual(BAD_SUBJECT);
    const request = { ...form({ grant_type: 'client_credentials', resource: MCP }) };
    const headers = { authorization: `Basic ${btoa(`job:${SECRET}`)}` };
    const machine = await read(await server.fetch('/token', { ...request, headers }));
    expect(await outcome(await exchange(server, machine.access_token))).toEqual(BAD_SUBJECT);
  });

  it('a token that this server did not sign is refused', async () => {
    const key = await generateSigningKey('ES256');
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await new SignJWT({
      client_id: client.id,
      scope: 'mcp:tools',
      status: { status_list: { idx: 1, uri: `${ISSUER}/status/abcdefghijklmnopqrstuv` } },
    })
      .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })
      .setIssuer(ISSUER)
      .setAudience(MCP)
      .setSubject('somebody')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey);
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const none = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${payload}.`;
    const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'somebody' };
    const changed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    for (const bad of [forged, none, changed, `${token}x`, 'x', `${token} ${token}`, '..']) {
      expect(await outcome(await exchange(server, bad))).toEqual(BAD_SUBJECT);
    }
  });

  it('the client learns nothing of why a subject token is refused, the log and the audit do', async () => {
    const billing = await tokensFor(server, client, { resource: BILLING });
    const answers = [await exchange(server, 'a.b.c'), await exchange(server, billing.access_token)];
    const [first, second] = await Promise.all(answers.map(read));
    expect(first).toEqual(second);
    expect(server.entries.slice(-2).map(({ event, outcome, reason }) => [event, outcome, reason])).toEqual([
      ['exchange.refused', 'refused', expect.stringContaining('Header is invalid')],
      ['exchange.refused', 'refused', expect.stringContaining(BILLING)],
    ]);
  });

  it('an expired token is refused', async () => {
    const clock = new FakeClock(Date.now());
    await using later = await startExchange({ clock });
    const { access_token } = await tokensFor(later, await register(later), { resource: MCP });
    expect((await exchange(later, access_token)).status).toBe(200);
    clock.advance(601);
    expect(await outcome(await exchange(later, access_token))).toEqual(BAD_SUBJECT);
  });

  it('the token of a person who was deactivated is refused', async () => {
    const env = {
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: 'https://acme.example',
      CONNECTOR_ACME_CLIENT_ID: 'client',
      CONNECTOR_ACME_CLIENT_SECRET: 'secret',
      CONNECTOR_ACME_SCIM_TOKEN: TOKEN,
    };
    await using strict = await startExchange({ env, connectors: (acme) => [acme] });
    const tokens = await tokensFor(strict, await register(strict), { resource: MCP });
    expect((await exchange(strict, tokens.access_token)).status).toBe(200);
    const user = { userName: 'alice', externalId: 'alice', active: false };
    expect((await scim(strict, 'POST', '/Users', { body: user })).status).toBe(201);
    const refused = await exchange(strict, tokens.access_token);
    expect(refused.status).toBe(400);
    expect(['invalid_request', 'invalid_grant']).toContain((await read(refused)).error);
  });
});

describe('RFC 8693 §2.1 the rules about people hold at an exchange too', () => {
  it('the token of a person whom a rule has denied since is refused, and the audit says by which rule', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    const path = join(folder, 'denied');
    writeFileSync(path, 'email:mallory@acme.example\n');
    const clock = new FakeClock(Date.now());
    const env = { PEOPLE_ALLOW: 'anyone', PEOPLE_DENY: `file:${path}` };
    await using strict = await startExchange({ env, clock });
    const { access_token } = await tokensFor(strict, await register(strict), { resource: MCP });
    expect((await exchange(strict, access_token)).status).toBe(200);
    writeFileSync(path, 'email:mallory@acme.example\nemail:alice@acme.example\n');
    clock.advance(3);
    expect(await outcome(await exchange(strict, access_token))).toEqual([400, 'invalid_grant']);
    const refused = strict.entries.filter(({ event }) => event === 'person.refused');
    expect(refused.at(-1)).toMatchObject({ client: 'mcp-server', reason: expect.stringContaining('alice') });
    rmSync(folder, { recursive: true });
  });

  it('a scope that a rule does not give the person is not in the new token, whatever the policy says', async () => {
    const policy = {
      clients: [
        { client: 'mcp-server', resource: MCP, resources: [{ resource: BILLING, scopes: ['mcp:tools', 'mcp:admin'] }] },
      ],
    };
    const clock = new FakeClock(Date.now());
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    const path = join(folder, 'admins');
    writeFileSync(path, 'email:alice@acme.example\n');
    await using strict = await startExchange({ policy, clock, env: { SCOPE_RULES: `mcp:admin=file:${path}` } });
    const { access_token } = await tokensFor(strict, await register(strict), {
      resource: MCP,
      scope: 'mcp:tools mcp:admin',
    });
    expect((await read(await exchange(strict, access_token))).scope).toBe('mcp:tools mcp:admin');
    writeFileSync(path, 'email:bob@acme.example\n');
    clock.advance(3);
    expect((await read(await exchange(strict, access_token))).scope).toBe('mcp:tools');
    expect(await outcome(await exchange(strict, access_token, { scope: 'mcp:admin' }))).toEqual([400, 'invalid_scope']);
    rmSync(folder, { recursive: true });
  });
});
