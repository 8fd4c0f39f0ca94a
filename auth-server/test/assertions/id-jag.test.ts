/**
 * Proves how an ID-JAG becomes an access token (draft-ietf-oauth-identity-assertion-authz-grant-04, pinned by the MCP extension
 * "Enterprise-Managed Authorization"): whose token it is, for what, and for how long.
 */
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { localSubject } from '../../src/federation/subject.ts';
import { startEnterprise } from '../support/enterprise.ts';
import { ISSUER, MCP, read } from '../support/running-server.ts';

const pair = await generateKeyPair('ES256');
const jwk = await exportJWK(pair.publicKey);
const proof = () =>
  new SignJWT({ htm: 'POST', htu: `${ISSUER}/token`, jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(pair.privateKey);

describe('an ID-JAG of a trusted identity provider', () => {
  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.2 gives a short access token for the resource, and no refresh token (§4.4.3)', async () => {
    await using enterprise = await startEnterprise();
    const answer = await enterprise.present(await enterprise.idJag({ scope: 'mcp:tools' }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const tokens = await read(answer);
    expect(tokens).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'mcp:tools',
      resource: MCP,
    });
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({
      aud: MCP,
      client_id: 'editor',
      scope: 'mcp:tools',
      // ID-JAG §3.1: the subject is that of a sign-in with the same identity provider.
      sub: localSubject({ issuer: enterprise.idp.url, subject: 'alice' }),
      status: { status_list: { idx: expect.any(Number) } },
    });
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.3 the same client may present an ID-JAG again until it expires', async () => {
    await using enterprise = await startEnterprise();
    const idJag = await enterprise.idJag();
    const first = await read(await enterprise.present(idJag));
    const second = await read(await enterprise.present(idJag));
    expect(second.expires_in).toBe(600);
    expect(second.access_token).not.toBe(first.access_token);
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.1 aud may be a list with one member', async () => {
    await using enterprise = await startEnterprise();
    expect((await enterprise.present(await enterprise.idJag({ aud: [ISSUER] }))).status).toBe(200);
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §5 the client id of the identity provider may be another one than that of this server', async () => {
    await using enterprise = await startEnterprise();
    const tokens = await read(
      await enterprise.present(await enterprise.idJag({ client_id: 'theirs' }), {}, { client: 'other' }),
    );
    expect(decodeJwt(String(tokens.access_token)).client_id).toBe('other');
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4.1 the scopes are those that the request, the ID-JAG, the issuer and the client have in common', async () => {
    await using enterprise = await startEnterprise();
    const scopeFor = async (said: string | undefined, asked?: string) => {
      const idJag = await enterprise.idJag(said === undefined ? {} : { scope: said });
      return (await read(await enterprise.present(idJag, asked === undefined ? {} : { scope: asked }))).scope;
    };
    expect(await scopeFor('mcp:tools mcp:admin')).toBe('mcp:tools mcp:admin');
    expect(await scopeFor('mcp:tools mcp:admin', 'mcp:tools')).toBe('mcp:tools');
    expect(await scopeFor('mcp:tools', 'mcp:tools mcp:admin')).toBe('mcp:tools');
    expect(await scopeFor('mcp:tools unknown')).toBe('mcp:tools');
    expect(await scopeFor(undefined), 'the usual scope of the resource').toBe('mcp:tools');
    expect(await scopeFor(undefined, 'mcp:admin')).toBe('mcp:admin');
    await using capped = await startEnterprise({ ENTERPRISE_ISSUER_OKTA_SCOPES: 'mcp:tools' });
    const wide = await capped.idJag({ scope: 'mcp:tools mcp:admin' });
    expect((await read(await capped.present(wide, { scope: 'mcp:tools mcp:admin' }))).scope).toBe('mcp:tools');
    expect(await capped.refused(wide, { scope: 'mcp:admin' })).toMatchObject({ error: 'invalid_scope' });
  });

  it('RFC 6749 §3.3 the rules about scopes limit the person of an ID-JAG too', async () => {
    await using enterprise = await startEnterprise({ CONNECTOR_OKTA_SCOPE_RULES: 'mcp:admin=subject:bob' });
    const scopeOf = async (sub: string) =>
      (await read(await enterprise.present(await enterprise.idJag({ sub, scope: 'mcp:tools mcp:admin' })))).scope;
    expect(await scopeOf('alice')).toBe('mcp:tools');
    expect(await scopeOf('bob')).toBe('mcp:tools mcp:admin');
  });

  it('RFC 8707 §2 the resource may have any spelling, and a request for another one is refused', async () => {
    await using enterprise = await startEnterprise();
    const spelled = await enterprise.idJag({ resource: ['http://LOCALHOST:8080/mcp/'] });
    const tokens = await read(await enterprise.present(spelled, { resource: 'http://localhost:8080' }));
    expect(decodeJwt(String(tokens.access_token)).aud).toBe(MCP);
    const other = await enterprise.refused(spelled, { resource: 'https://other.example/mcp' });
    expect(other).toMatchObject({ status: 400, error: 'invalid_target' });
  });

  it('Enterprise-Managed Authorization §5.1 an ID-JAG without resource is refused, unless the operator named the one that is meant', async () => {
    await using enterprise = await startEnterprise();
    const refused = await enterprise.refused(await enterprise.idJag({ resource: undefined }));
    expect(refused).toMatchObject({ error: 'invalid_grant', reason: expect.stringContaining('does not name one') });
    await using named = await startEnterprise({ ENTERPRISE_ISSUER_OKTA_RESOURCES: MCP });
    const tokens = await read(await named.present(await named.idJag({ resource: undefined })));
    expect(decodeJwt(String(tokens.access_token)).aud).toBe(MCP);
  });

  it('a token for an ID-JAG lives no longer than its issuer, its client and its resource allow', async () => {
    const lifetime = async (env: Record<string, string>) => {
      await using enterprise = await startEnterprise(env);
      return (await read(await enterprise.present(await enterprise.idJag()))).expires_in;
    };
    expect(await lifetime({ ENTERPRISE_ISSUER_OKTA_TOKEN_LIFETIME: '2m' })).toBe(120);
    expect(await lifetime({ ENTERPRISE_ISSUER_OKTA_TOKEN_LIFETIME: '1h', ACCESS_TOKEN_LIFETIME: '1m' })).toBe(60);
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §8.5.1 an ID-JAG with cnf needs a proof of its key, and its token is bound to it (RFC 9449 §5)', async () => {
    await using enterprise = await startEnterprise();
    const jkt = await calculateJwkThumbprint(jwk);
    const bound = await enterprise.idJag({ cnf: { jkt } });
    expect(await enterprise.refused(bound)).toMatchObject({
      error: 'invalid_grant',
      reason: expect.stringContaining('proof'),
    });
    const foreign = await enterprise.idJag({ cnf: { jkt: 'x'.repeat(43) } });
    const wrong = await enterprise.refused(foreign, {}, { headers: { dpop: await proof() } });
    expect(wrong).toMatchObject({ error: 'invalid_grant' });
    for (const idJag of [bound, await enterprise.idJag()]) {
      const tokens = await read(await enterprise.present(idJag, {}, { headers: { dpop: await proof() } }));
      expect(tokens.token_type).toBe('DPoP');
      expect(decodeJwt(String(tokens.access_token))).toMatchObject({ cnf: { jkt } });
    }
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §7.2 the metadata names the profile and the grant, and without an issuer neither', async () => {
    await using enterprise = await startEnterprise();
    const metadata = await read(await enterprise.server.fetch('/.well-known/oauth-authorization-server'));
    expect(metadata.authorization_grant_profiles_supported).toEqual(['urn:ietf:params:oauth:grant-profile:id-jag']);
    expect(metadata.grant_types_supported).toContain('urn:ietf:params:oauth:grant-type:jwt-bearer');
    // ID-JAG §8.4: which issuers are trusted is nobody's business.
    expect(JSON.stringify(metadata)).not.toContain(enterprise.idp.url);
    await using plain = await startEnterprise({ ENTERPRISE_ISSUERS: '', CLIENTS: '[]' });
    const without = await read(await plain.server.fetch('/.well-known/oauth-authorization-server'));
    expect(without.grant_types_supported).not.toContain('urn:ietf:params:oauth:grant-type:jwt-bearer');
    expect(without).not.toHaveProperty('authorization_grant_profiles_supported');
  });

  it('the audit and the log say whose ID-JAG it was, and never contain it', async () => {
    await using enterprise = await startEnterprise();
    const person = { email: 'canary@acme.example', email_verified: true, name: 'Canary Person' };
    const idJag = await enterprise.idJag({ jti: 'the-jti', ...person });
    await enterprise.present(idJag);
    expect(enterprise.server.entries.findLast(({ event }) => event === 'token.issued')).toMatchObject({
      who: localSubject({ issuer: enterprise.idp.url, subject: 'alice' }),
      client: 'editor',
      grant: expect.any(String),
      details: { assertion: 'id-jag', issuer: 'okta', jti: 'the-jti' },
    });
    const bad = `${idJag.slice(0, -4)}AAAA`;
    expect(await enterprise.refused(bad)).toMatchObject({ reason: expect.stringContaining('signature') });
    const written = JSON.stringify([enterprise.server.log, enterprise.server.entries]);
    for (const part of [...idJag.split('.'), ...bad.split('.').slice(2), person.email, person.name])
      expect(written).not.toContain(part);
  });
});
