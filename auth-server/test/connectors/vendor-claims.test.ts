/** Proves that presets read the claims that their vendors document: Keycloak, Auth0, Okta, Cognito and GitLab. */
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RuleType } from '../../src/federation/connector.ts';
import { checks } from '../contracts/connector.contract.ts';
import { signInAt, startPreset } from '../support/preset-stand-in.ts';
import { VENDORS } from '../support/vendors.ts';

interface Given {
  readonly env?: Readonly<Record<string, string>>;
  readonly needs?: readonly RuleType[];
  readonly userInfo?: object;
}

async function signIn(
  name: keyof typeof VENDORS,
  claims: JWTPayload,
  { env = {}, needs = ['group', 'role'], userInfo }: Given = {},
) {
  const vendor = VENDORS[name];
  await using upstream = await startPreset(vendor.kind, vendor, { env, needs });
  upstream.claims = claims;
  const path = new URL(upstream.issuer).pathname.replace(/\/$/, '');
  upstream.stage.routes.set(`${path}/userinfo`, () => ({ sub: upstream.subject, ...userInfo }));
  return await signInAt(upstream);
}

describe('keycloak', () => {
  it('Keycloak docs "Server Administration", "Protocol mappers": realm roles and groups with their path', async () => {
    const claims = {
      preferred_username: 'alice', groups: ['/staff/ops'], realm_access: { roles: ['offline_access', 'admin'] },
      resource_access: { account: { roles: ['view-profile'] } },
    }; // biome-ignore format: as documented
    const identity = await signIn('keycloak', claims);
    expect(identity).toMatchObject({
      username: 'alice',
      memberships: { group: ['/staff/ops'], role: ['offline_access', 'admin'] },
    });
  });

  it('Keycloak docs "Server Administration", "Client roles": the roles of one client have a path of their own', async () => {
    const claims = { groups: [], resource_access: { 'mcp.example.com': { roles: ['owner'] } } };
    const env = { ROLES_CLAIM: 'resource_access.mcp.example.com.roles' };
    expect((await signIn('keycloak', claims, { env })).memberships).toEqual({ role: ['owner'] });
  });
});

describe('auth0', () => {
  const namespaced = {
    'https://mcp.example.com/groups': ['ops'],
    'https://mcp.example.com/roles': ['admin'],
    groups: ['forged'],
  };

  it('Auth0 docs "Create Custom Claims": groups and roles are read in the namespace', async () => {
    const { memberships } = await signIn('auth0', namespaced, { env: { NAMESPACE: 'https://mcp.example.com' } });
    expect(memberships).toMatchObject({ group: ['ops'], role: ['admin'] });
  });

  it('Auth0 docs "Work with Tokens and Organizations": the organization of the sign-in, by name and id', async () => {
    const claims = { org_id: 'org_9ybsU1dN2dKfDkBi', org_name: 'acme' };
    const { memberships, organizations } = await signIn('auth0', claims);
    expect(memberships).toEqual({ org: ['acme', 'org_9ybsU1dN2dKfDkBi'] });
    expect(organizations).toEqual([{ id: 'org_9ybsU1dN2dKfDkBi', name: 'acme' }]);
    expect(await signIn('auth0', {}, { userInfo: claims })).toMatchObject({
      memberships: { org: [] },
      organizations: [],
    });
  });

  it('Auth0 docs "Use Organization Names in Authentication API": without the name, the organization is its id', async () => {
    const { memberships, organizations } = await signIn('auth0', { org_id: 'org_9ybsU1dN2dKfDkBi' });
    expect(memberships).toEqual({ org: ['org_9ybsU1dN2dKfDkBi'] });
    expect(organizations).toEqual([{ id: 'org_9ybsU1dN2dKfDkBi' }]);
  });

  it('an organization that is no text is not read, so that no denial passes it by', async () => {
    const { memberships, incomplete } = await signIn('auth0', { org_id: { id: 'org_9ybsU1dN2dKfDkBi' } });
    expect(memberships).toEqual({ org: [] });
    expect(incomplete).toEqual({ org: 'the claim org_id has members that are no text' });
  });
});

describe('okta', () => {
  it('Okta docs "Customize tokens with a groups claim": a list of names', async () => {
    expect((await signIn('okta', { groups: ['Everyone', 'IT'] })).memberships).toEqual({ group: ['Everyone', 'IT'] });
  });

  it('Okta docs "Get a thin ID token": what the id token leaves out is at userinfo', async () => {
    const userInfo = { groups: ['Everyone'], name: 'Alice', email: 'alice@example.com', email_verified: true };
    const identity = await signIn('okta', {}, { userInfo });
    expect(identity).toMatchObject({ email: 'alice@example.com', memberships: { group: ['Everyone'] } });
  });

  it.each([
    ['', ['group'], 'openid profile email groups offline_access'],
    ['', ['email'], 'openid profile email offline_access'],
    ['/oauth2/default', ['group'], 'openid profile email offline_access'],
    ['/oauth2/aus9o8wwkhckw9TLa0h7z', ['group'], 'openid profile email offline_access'],
  ] as const)(
    'Okta docs "OpenID Connect & OAuth 2.0 API", "Scopes": with the issuer %s and rules for %j it asks for %s',
    async (path, needs, scope) => {
      await using upstream = await startPreset(VENDORS.okta.kind, { path }, { needs });
      expect((await upstream.connector.begin(checks)).searchParams.get('scope')).toBe(scope);
    },
  );
});

describe('cognito', () => {
  it('Cognito docs "Understanding the identity (ID) token": groups and roles with the prefix, and the name', async () => {
    const claims = {
      'cognito:groups': ['ops'], 'cognito:roles': ['arn:aws:iam::111122223333:role/ops'], 'cognito:username': 'alice',
      email: 'alice@example.com', email_verified: true,
    }; // biome-ignore format: as documented
    expect(await signIn('cognito', claims)).toMatchObject({
      username: 'alice', memberships: { group: ['ops'], role: ['arn:aws:iam::111122223333:role/ops'] },
    }); // biome-ignore format: one row
  });

  it('Cognito docs "userInfo endpoint": email_verified is text there', async () => {
    const said = (email_verified: unknown) => ({
      userInfo: { username: 'alice', email: 'alice@example.com', email_verified },
    });
    expect((await signIn('cognito', {}, said('true'))).verifiedEmails).toEqual(['alice@example.com']);
    expect((await signIn('cognito', {}, said('false'))).verifiedEmails).toEqual([]);
  });
});

describe('gitlab', () => {
  it('GitLab docs "GitLab as OpenID Connect identity provider": groups are at userinfo, and are compared without case', async () => {
    const userInfo = {
      nickname: 'alice',
      groups: ['Acme', 'Acme/Platform'],
      email: 'alice@example.com',
      email_verified: true,
    };
    const identity = await signIn('gitlab', { groups_direct: ['Acme/Platform'] }, { userInfo });
    expect(identity).toMatchObject({ username: 'alice', memberships: { group: ['acme', 'acme/platform'] } });
  });

  it('a group whose name only begins like another one is another group', async () => {
    const { memberships } = await signIn('gitlab', {}, { userInfo: { groups: ['acme-evil', 'acme/platform'] } });
    expect(memberships?.group).not.toContain('acme');
  });
});
