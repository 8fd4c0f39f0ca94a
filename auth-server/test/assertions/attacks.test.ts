/**
 * Proves that an assertion that is not exactly an ID-JAG for this client at this server gives nothing, and that its reason is in the log and
 * in the audit.
 */
import { base64url, exportSPKI, generateKeyPair, importSPKI, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Enterprise, SECRET, startEnterprise } from '../support/enterprise.ts';
import { ISSUER, MCP } from '../support/running-server.ts';
import { nowSeconds, startTrustedIssuer } from '../support/trusted-issuer.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await startEnterprise();
});
afterAll(() => enterprise[Symbol.asyncDispose]());

const now = nowSeconds();
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });
const refusedWith = (reason: string) => ({
  status: 400,
  error: 'invalid_grant',
  // Terse: the reason is about somebody else's JWT.
  description: 'the assertion was refused',
  reason: expect.stringContaining(`: ${reason}: `),
  audited: expect.stringContaining(`: ${reason}: `),
});

describe('RFC 7523 §3.1 an ID-JAG that is refused', () => {
  it.each<readonly [title: string, claims: Record<string, unknown>, reason: string]>([
    ['for another authorization server (ID-JAG §4.4.1)', { aud: 'https://other.example' }, 'aud'],
    ['for this server and another one (ID-JAG §4.4.1)', { aud: [ISSUER, 'https://other.example'] }, 'aud'],
    ['for no server (ID-JAG §4.4.1)', { aud: [] }, 'aud'],
    ['for our token endpoint, which is not our issuer', { aud: `${ISSUER}/token` }, 'aud'],
    ['that has expired (RFC 7523 §3)', { iat: now - 400, exp: now - 100 }, 'times'],
    ['without exp (RFC 7523 §3)', { exp: undefined }, 'times'],
    ['without iat (ID-JAG §3.1)', { iat: undefined }, 'times'],
    ['that was issued in the future', { iat: now + 200, exp: now + 400 }, 'times'],
    ['that is not valid yet', { nbf: now + 200 }, 'times'],
    ['that expires before it was issued', { iat: now + 20, exp: now + 10 }, 'times'],
    ['that is not short-lived (RFC 7523 §3)', { exp: now + 7_200 }, 'times'],
    ['without jti (ID-JAG §3.1)', { jti: undefined }, 'claims'],
    ['without sub (ID-JAG §3.1)', { sub: undefined }, 'claims'],
    ['with a subject that names nobody', { sub: ' ' }, 'claims'],
    ['with a subject that is no text', { sub: 7 }, 'claims'],
    ['without client_id (ID-JAG §3.1)', { client_id: undefined }, 'claims'],
    ['for another client (ID-JAG §4.4.1)', { client_id: 'theirs' }, 'client'],
    ['for a client that the issuer may not speak for', { client_id: 'auth-server' }, 'client'],
    ['for a resource of another server (EMA §4.3)', { resource: 'https://other.example/mcp' }, 'resource'],
    ['for two resources', { resource: [MCP, 'http://localhost:8080'] }, 'resource'],
    ['for a resource that is no text', { resource: { url: MCP } }, 'resource'],
    ['with a scope that is no text', { scope: ['mcp:tools'] }, 'scope'],
    [
      'with authorization_details instead of a scope (RFC 9396 §2)',
      { authorization_details: [{ type: 'x' }] },
      'scope',
    ],
    ['with a subject of another tenant (ID-JAG §6)', { tenant: 'evil' }, 'tenant'],
    ['that is bound to a certificate (ID-JAG §8.5)', { cnf: { 'x5t#S256': 'x' } }, 'proof'],
    ['that is nested too deeply', { a: deep(40) }, 'malformed'],
  ])('an ID-JAG %s', async (_title, claims, reason) => {
    expect(await enterprise.refused(await enterprise.idJag(claims))).toEqual(refusedWith(reason));
  });

  it.each<readonly [typ: string | undefined, reason: string]>([
    ['OAUTH-ID-JAG+JWT', 'typ'],
    ['application/oauth-id-jag+jwt', 'typ'],
    ['JWT', 'issuer'],
    ['at+jwt', 'issuer'],
    ['logout+jwt', 'issuer'],
    ['oauth-id-jag', 'issuer'],
    [undefined, 'issuer'],
  ])('RFC 8725 §3.11 an ID-JAG with the typ %s (ID-JAG §4.4.1)', async (typ, reason) => {
    expect(await enterprise.refused(await enterprise.idJag({}, { typ }))).toEqual(refusedWith(reason));
  });

  it.each([
    'iss',
    'sub',
    'aud',
    'exp',
    'iat',
    'nbf',
    'jti',
    'client_id',
    'resource',
    'scope',
    'tenant',
    'cnf',
    'authorization_details',
  ])('an odd value of %s is an answer of 400 and no crash', async (claim) => {
    for (const odd of [null, 0, -1, 1e300, '', 'x'.repeat(300), '\ud800', true, [], [null], {}, { toString: 1 }]) {
      const { status } = await enterprise.refused(await enterprise.idJag({ [claim]: odd }));
      expect([200, 400], JSON.stringify(odd)).toContain(status);
    }
  });

  it.each(['alg', 'kid', 'typ', 'b64', 'jku'])(
    'an odd %s in the header is an answer of 400 and no crash',
    async (name) => {
      const [, payload, signature] = (await enterprise.idJag()).split('.');
      for (const odd of [null, 0, '', 'x'.repeat(300), true, [], {}, { toString: 1 }]) {
        const header = { alg: 'ES256', kid: 'one', typ: 'oauth-id-jag+jwt', [name]: odd };
        const forged = `${base64url.encode(JSON.stringify(header))}.${payload}.${signature}`;
        expect((await enterprise.refused(forged)).status, JSON.stringify(odd)).toBe(400);
      }
    },
  );

  it('RFC 8725 §3.1 an ID-JAG without a signature, or with the public key as a shared secret', async () => {
    const [, payload] = (await enterprise.idJag()).split('.');
    const header = base64url.encode(JSON.stringify({ alg: 'none', typ: 'oauth-id-jag+jwt' }));
    expect(await enterprise.refused(`${header}.${payload}.`)).toEqual(refusedWith('alg'));
    const jwks = await (await fetch(`${enterprise.idp.url}/jwks`)).text();
    const key = await importSPKI(await exportSPKI((await generateKeyPair('ES256')).publicKey), 'ES256');
    for (const secret of [jwks, await exportSPKI(key)]) {
      const forged = await new SignJWT(JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()))
        .setProtectedHeader({ alg: 'HS256', typ: 'oauth-id-jag+jwt', kid: 'one' })
        .sign(new TextEncoder().encode(secret));
      expect(await enterprise.refused(forged)).toEqual(refusedWith('alg'));
    }
  });

  it('RFC 7515 §6 an ID-JAG that brings its key itself', async () => {
    const own = await startTrustedIssuer('one');
    await using _ = own;
    const claims = { iss: enterprise.idp.url, aud: ISSUER, sub: 'alice', client_id: 'editor', resource: MCP, jti: 'x' };
    const { keys } = (await (await fetch(`${own.url}/jwks`)).json()) as { keys: object[] };
    for (const header of [{ jwk: keys[0] }, { jku: `${own.url}/jwks` }, {}]) {
      const forged = await own.sign(claims, { typ: 'oauth-id-jag+jwt', ...header });
      expect(await enterprise.refused(forged)).toEqual(refusedWith('signature'));
    }
    expect(own.stage.asked.filter((path) => path === '/jwks')).toHaveLength(1);
  });

  it('RFC 7515 §4.1.11 an ID-JAG with an extension that is not understood', async () => {
    const [, payload, signature] = (await enterprise.idJag()).split('.');
    const header = { alg: 'ES256', kid: 'one', typ: 'oauth-id-jag+jwt', crit: ['exp'] };
    const forged = `${base64url.encode(JSON.stringify(header))}.${payload}.${signature}`;
    expect(await enterprise.refused(forged)).toEqual(refusedWith('malformed'));
  });

  it.each(['', 'x', 'a.b.c', 'e30.e30.', 'W10.e30.AA', `${'a'.repeat(3_000)}.b.c`, 'a.b.c.d.e'])(
    'an assertion that is no JWT: %s',
    async (assertion) => {
      const answer = await enterprise.refused(assertion);
      expect(answer).toMatchObject({ status: 400, error: assertion === '' ? 'invalid_request' : 'invalid_grant' });
    },
  );

  it('RFC 6749 §5.2 a huge assertion is an invalid request, and costs no signature', async () => {
    const huge = await enterprise.idJag({ filler: 'x'.repeat(20_000) });
    expect(await enterprise.refused(huge)).toMatchObject({ status: 400, error: 'invalid_request' });
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.1 an ID-JAG cannot be presented by another client, whatever it calls itself', async () => {
    const idJag = await enterprise.idJag();
    expect((await enterprise.present(idJag)).status).toBe(200);
    expect(await enterprise.refused(idJag, {}, { client: 'other' })).toEqual(refusedWith('client'));
    expect(await enterprise.refused(idJag, { client_id: 'editor' }, { client: 'other' })).toMatchObject({
      status: 400,
    });
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §8.1 a public client may not present any, unless the operator allowed it', async () => {
    const idJag = await enterprise.idJag({ client_id: 'public' });
    expect(await enterprise.refused(idJag, {}, { client: 'public' })).toMatchObject({
      status: 400,
      error: 'unauthorized_client',
      description: 'assertions need a client with a secret or key',
    });
    await using open = await startEnterprise({ ENTERPRISE_ISSUER_OKTA_PUBLIC_CLIENTS: 'true' });
    expect((await open.present(await open.idJag({ client_id: 'public' }), {}, { client: 'public' })).status).toBe(200);
  });

  it('RFC 6749 §5.2 a client without its secret, or without the grant, gets nothing', async () => {
    const idJag = await enterprise.idJag();
    const wrong = await enterprise.refused(idJag, {}, { headers: { authorization: `Basic ${btoa('editor:wrong')}` } });
    expect(wrong).toMatchObject({ status: 401, error: 'invalid_client' });
    await using narrow = await startEnterprise({
      CLIENTS: JSON.stringify([{ client_id: 'editor', client_secret: SECRET, grant_types: ['client_credentials'] }]),
    });
    expect((await narrow.refused(await narrow.idJag())).status).toBe(400);
  });

  it('an identity provider that is trusted for sign-in alone gives no access, and is not asked for its keys', async () => {
    await using signIn = await startTrustedIssuer();
    await using both = await startEnterprise({
      CONNECTORS: 'okta,partner',
      CONNECTOR_PARTNER_TYPE: 'oidc',
      CONNECTOR_PARTNER_ISSUER: signIn.url,
      CONNECTOR_PARTNER_CLIENT_ID: 'auth-server',
      CONNECTOR_PARTNER_CLIENT_SECRET: 'a-secret-of-auth-server',
    });
    const claims = { aud: ISSUER, sub: 'alice', client_id: 'editor', resource: MCP, jti: 'x' };
    const idJag = await signIn.sign(claims, { typ: 'oauth-id-jag+jwt' });
    expect(await both.refused(idJag)).toEqual(refusedWith('issuer'));
    expect(signIn.stage.asked).toEqual([]);
  });

  it('RFC 7515 §10 an ID-JAG with the key of another trusted issuer under the same kid', async () => {
    await using other = await startTrustedIssuer('one');
    await using two = await startEnterprise({
      CONNECTORS: 'okta,partner',
      CONNECTOR_PARTNER_TYPE: 'oidc',
      CONNECTOR_PARTNER_ISSUER: other.url,
      CONNECTOR_PARTNER_CLIENT_ID: 'auth-server',
      CONNECTOR_PARTNER_CLIENT_SECRET: 'a-secret-of-auth-server',
      ENTERPRISE_ISSUERS: 'okta,partner',
      ENTERPRISE_ISSUER_PARTNER_ISSUER: other.url,
      ENTERPRISE_ISSUER_PARTNER_CONNECTOR: 'partner',
      ENTERPRISE_ISSUER_PARTNER_CLIENTS: 'editor',
      ENTERPRISE_ISSUER_PARTNER_SCOPES: 'mcp:tools',
    });
    const claims = { aud: ISSUER, sub: 'alice', client_id: 'editor', resource: MCP, jti: 'x' };
    const header = { typ: 'oauth-id-jag+jwt' };
    expect((await two.present(await other.sign(claims, header))).status).toBe(200);
    const forged = await other.sign({ ...claims, iss: two.idp.url }, header);
    expect(await two.refused(forged)).toEqual(refusedWith('signature'));
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §6 an ID-JAG without the tenant that the operator named', async () => {
    await using tenant = await startEnterprise({ ENTERPRISE_ISSUER_OKTA_TENANT: 'acme' });
    expect(await tenant.refused(await tenant.idJag())).toEqual(refusedWith('tenant'));
    expect((await tenant.present(await tenant.idJag({ tenant: 'acme' }))).status).toBe(200);
  });

  it('an ID-JAG for a resource that the operator did not give to its issuer', async () => {
    await using narrow = await startEnterprise({
      RESOURCES: 'http://localhost:8080,http://localhost:8081',
      ENTERPRISE_ISSUER_OKTA_RESOURCES: 'http://localhost:8081/mcp',
    });
    expect(await narrow.refused(await narrow.idJag())).toEqual(refusedWith('resource'));
  });
});
