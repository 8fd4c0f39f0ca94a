/**
 * Proves that ID-JAGs as identity providers really write them are accepted: the documented one of Okta, further claims, every algorithm of
 * the usual list, key sets without names, issuers with a slash at their end, and clocks that differ.
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIssuerKeys } from '../../src/assertions/signed/issuer-keys.ts';
import { localSubject } from '../../src/federation/subject.ts';
import { type Enterprise, startEnterprise } from '../support/enterprise.ts';
import { ISSUER, MCP, read } from '../support/running-server.ts';
import { nowSeconds } from '../support/trusted-issuer.ts';

let enterprise: Enterprise;
beforeAll(async () => {
  enterprise = await startEnterprise();
});
afterAll(() => enterprise[Symbol.asyncDispose]());

const granted = async (idJag: string, at = enterprise) => {
  const answer = await at.present(idJag);
  const body = await read(answer);
  expect(answer.status, JSON.stringify(body)).toBe(200);
  return decodeJwt(String(body.access_token));
};

describe('ID-JAGs as identity providers write them', () => {
  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1 the claims that Okta documents give a token, also with an address that nobody calls verified', async () => {
    const okta = {
      sub: '00uzkk8ctx1WtQ8fy1d7',
      scope: 'mcp:tools',
      email: 'example.user@okta.com',
      jti: 'IDAAG.OmT8mh0IPyEwvTM6MYodfTFB_dYo4JmZIHP4tnh9xoA',
    };
    expect(await granted(await enterprise.idJag(okta))).toMatchObject({
      aud: MCP,
      sub: localSubject({ issuer: enterprise.idp.url, subject: okta.sub }),
      scope: 'mcp:tools',
    });
  });

  it('draft-ietf-oauth-identity-assertion-authz-grant-04 §3.1 optional claims are accepted, and none of them gets into the token', async () => {
    const optional = {
      auth_time: nowSeconds() - 60,
      acr: 'urn:okta:loa:2fa:any',
      amr: ['mfa', 'hwk'],
      aud_sub: 'alice@here',
      aud_tenant: 'here',
      act: { sub: 'wlp8x98zcxMOXEPHJ0g7', sub_profile: 'ai_agent' },
      name: 'Alice',
    };
    const token = await granted(await enterprise.idJag(optional));
    expect(token).toMatchObject({ sub: localSubject({ issuer: enterprise.idp.url, subject: 'alice' }) });
    for (const name of Object.keys(optional)) expect(token).not.toHaveProperty(name);
  });

  it('RFC 7517 §4.5 a signature with each usual algorithm is checked by a key that has neither kid nor alg in the key set', async () => {
    const clock = new FakeClock(Date.now());
    await using here = await startEnterprise({}, { clock });
    for (const alg of ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519']) {
      const pair = await generateKeyPair(alg);
      const { kid: _, alg: __, ...key } = await exportJWK(pair.publicKey);
      here.idp.stage.routes.set('/jwks', () => ({ keys: [{ kty: 'oct', k: 'x' }, key, { ...key, use: 'enc' }] }));
      // Only then are unknown keys looked up again.
      clock.advance(31);
      const now = Math.floor(clock.now() / 1000);
      const claims: JWTPayload = { iss: here.idp.url, aud: ISSUER, sub: 'alice', jti: alg, iat: now, exp: now + 300 };
      for (const header of [{}, { kid: 'a-name-that-the-key-set-lacks' }]) {
        const idJag = await new SignJWT({ ...claims, client_id: 'editor', resource: MCP })
          .setProtectedHeader({ alg, typ: 'oauth-id-jag+jwt', ...header })
          .sign(pair.privateKey);
        await granted(idJag, here);
      }
    }
  });

  it('RFC 7517 §4.5 the identity provider may change its keys, and what the old ones signed ends with them', async () => {
    const clock = new FakeClock(Date.now());
    await using here = await startEnterprise({}, { clock });
    const before = await here.idJag();
    await granted(before, here);
    await here.idp.rotate('two');
    clock.advance(31);
    await granted(await here.idJag(), here);
    expect(await here.refused(before)).toMatchObject({ reason: expect.stringContaining(': signature: ') });
  });

  it('RFC 7523 §3 clocks may differ by 30 seconds, and no more', async () => {
    const now = nowSeconds();
    for (const times of [
      { iat: now + 25, exp: now + 325 },
      { iat: now - 300, exp: now - 20 },
    ]) {
      await granted(await enterprise.idJag(times));
    }
    for (const times of [
      { iat: now + 40, exp: now + 340 },
      { iat: now - 300, exp: now - 31 },
    ]) {
      const answer = await enterprise.refused(await enterprise.idJag(times));
      expect(answer).toMatchObject({ reason: expect.stringContaining(': times: ') });
    }
  });

  it.each([
    ['https://acme.auth0.com/', ['https://acme.auth0.com/.well-known/openid-configuration']],
    ['https://idp.example/realms/acme/', ['https://idp.example/realms/acme/.well-known/openid-configuration']],
  ])(
    'OpenID Connect Discovery §4.1 the keys of %s are found, whose slash at the end belongs to its name',
    async (issuer, urls) => {
      const asked: string[] = [];
      const keys = createIssuerKeys(
        { issuer },
        {
          fetch: async (input) => {
            asked.push(String(input));
            return Response.json({ issuer, jwks_uri: 'https://idp.example/keys', keys: [] });
          },
          clock: new FakeClock(Date.now()),
          onFailure: () => {},
        },
      );
      expect(await keys.get()).toEqual([]);
      expect(asked).toEqual([...urls, 'https://idp.example/keys']);
    },
  );
});
