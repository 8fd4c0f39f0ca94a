/** Proves that sign-in with Google takes the organization of an account from `hd` in the id token, and from nothing else. */
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../../src/federation/connector.ts';
import { checks } from '../contracts/connector.contract.ts';
import { acceptanceOf, openKind, signInAt, startPreset } from '../support/preset-stand-in.ts';
import { VENDORS } from '../support/vendors.ts';

const { kind } = VENDORS.google;

/** The claims of https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload */
const documented = {
  sub: '10769150350006150715113082367', azp: 'client', name: 'Elisa', given_name: 'Elisa',
  email: 'elisa@example.com', email_verified: true, hd: 'example.com',
}; // biome-ignore format: as documented

const refusalOf = (identity: Identity, HOSTED_DOMAIN: string) =>
  acceptanceOf(kind, { HOSTED_DOMAIN })?.refusalOf(identity);

async function signIn(claims: JWTPayload, env = {}) {
  await using upstream = await startPreset(kind, VENDORS.google, { env });
  upstream.claims = claims;
  return await signInAt(upstream);
}

describe('google: the claim hd', () => {
  it('Google docs "OpenID Connect", "An ID token\'s payload": hd is the only domain of an account', async () => {
    expect(await signIn(documented)).toMatchObject({ domains: ['example.com'], verifiedEmails: ['elisa@example.com'] });
    expect(await signIn({ ...documented, hd: undefined })).toMatchObject({ domains: [], email: 'elisa@example.com' });
  });

  it('hd in userinfo does not count, because no signature covers it', async () => {
    await using upstream = await startPreset(kind, VENDORS.google, {
      needs: ['claim'],
      env: { HOSTED_DOMAIN: 'example.com' },
    });
    upstream.claims = { email: 'mallory@example.com', email_verified: true };
    upstream.stage.routes.set('/userinfo', () => ({ sub: upstream.subject, hd: 'example.com' }));
    expect(refusalOf(await signInAt(upstream), 'example.com')).toContain('this account: none');
  });

  it.each([
    ['none', undefined],
    ['another domain', 'evil.test'],
    ['a longer domain', 'example.com.evil.test'],
    ['a sub-domain', 'a.example.com'],
    ['an empty text', ''],
    ['an object', { example: 'example.com' }],
  ])('an account with HOSTED_DOMAIN=example.com is refused if hd is %s', async (_, hd) => {
    expect(refusalOf(await signIn({ ...documented, hd }), 'example.com')).toMatch(/^HOSTED_DOMAIN does not name/);
  });

  it.each([
    ['example.com', 'EXAMPLE.com'],
    ['Example.com, example.org', 'example.org'],
  ])('an account is accepted if HOSTED_DOMAIN is %j and hd is %j', async (HOSTED_DOMAIN, hd) => {
    const identity = await signIn({ ...documented, hd }, { HOSTED_DOMAIN });
    expect(identity).toMatchObject({ domains: [hd.toLowerCase()] });
    expect(refusalOf(identity, HOSTED_DOMAIN)).toBeUndefined();
  });

  it.each([
    [undefined, null],
    ['example.com', 'example.com'],
    ['example.com,example.org', '*'],
  ])(
    'Google docs "Authentication URI parameters": with HOSTED_DOMAIN=%s the request says hd=%s',
    async (domain, hd) => {
      await using upstream = await startPreset(kind, VENDORS.google);
      const env = {
        ISSUER: upstream.issuer,
        CLIENT_ID: 'client',
        CLIENT_SECRET: 'secret',
        ...(domain && { HOSTED_DOMAIN: domain }),
      };
      expect((await openKind(kind, env).begin(checks)).searchParams.get('hd')).toBe(hd);
    },
  );

  it('groups are never reported: they are in the Directory API only', async () => {
    const { memberships } = await signIn({ ...documented, groups: ['admins'], roles: ['owner'] });
    expect(memberships).toEqual({});
  });
});
