/**
 * Proves what the claims of an OpenID provider say about a person: memberships, verified addresses, and that what a rule needs is
 * complete or the sign-in fails (OpenID Connect Core 1.0 §5.1, §5.3).
 */
import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import type { RuleType } from '../../../src/federation/connector.ts';
import { checks } from '../../contracts/connector.contract.ts';
import { metadata, open, type settings, start } from '../../support/oidc-stand-in.ts';
import { Reply } from '../../support/upstream-stand-in.ts';

const SUBJECT = 'opaque|0001/ü';

interface Play {
  readonly idToken?: JWTPayload;
  /** Members beside `sub`, or a whole answer. Absent: 404. */
  readonly userInfo?: object;
  readonly needs?: readonly RuleType[];
  readonly change?: Partial<Record<keyof typeof settings, string>>;
}

async function signIn({ idToken = {}, userInfo, needs, change = {} }: Play) {
  await using upstream = await start();
  upstream.claims = idToken;
  if (userInfo) {
    const answer = userInfo instanceof Reply ? userInfo : { sub: SUBJECT, ...userInfo };
    upstream.stage.routes.set('/userinfo', () => answer);
  }
  const connector = open(upstream.issuer, change as object, { needs: needs && new Set(needs) });
  const { identity } = await connector.finish(await upstream.signIn(await connector.begin(checks)), checks);
  return { ...identity, asked: upstream.stage.asked.includes('/userinfo') };
}

const alice = { name: 'Alice', email: 'alice@example.com', email_verified: true };

describe('oidc: claims of the id token and of userinfo', () => {
  it('both are merged, and the id token wins', async () => {
    const { claims } = await signIn({
      idToken: { groups: ['ops'], department: 'A' },
      userInfo: { groups: ['all'], department: 'B', office: 'Berlin', picture: 'data:…' },
    });
    expect(claims).toMatchObject({ sub: SUBJECT, groups: ['ops'], department: 'A', office: 'Berlin' });
    expect(claims).not.toHaveProperty('picture');
  });

  it.each([
    ['nothing is missing', alice, [], false],
    ['a rule may be about any claim', alice, ['claim'], true],
    ['a rule is about groups and the id token has none', alice, ['group'], true],
    ['a rule is about groups and the id token has them', { ...alice, groups: [] }, ['group'], false],
    ['a rule is about roles and the id token has none', { ...alice, groups: [] }, ['group', 'role'], true],
    ['a rule is about addresses and the id token has none', { name: 'Alice' }, ['domain'], true],
    ['a name can be shown', { ...alice, name: undefined }, [], true],
  ] as const)(
    'OpenID Connect Core §5.3 userinfo is asked only if something is missing: %s',
    async (_, idToken, needs, asked) => {
      expect((await signIn({ idToken, needs, userInfo: {} })).asked).toBe(asked);
    },
  );

  it.each([
    ['is down', new Reply(503, {}), 'unavailable'],
    ['refuses', new Reply(401, {}), 'invalid_answer'],
    ['is about another person', { sub: 'somebody else', groups: ['ops'] }, 'invalid_answer'],
  ])(
    'a sign-in fails, and does not go on without groups, when userinfo %s and a rule needs it',
    async (_, userInfo, reason) => {
      await expect(signIn({ idToken: alice, userInfo, needs: ['group'] })).rejects.toMatchObject({ reason });
      expect(await signIn({ idToken: alice, userInfo, needs: ['subject'] })).toMatchObject({ subject: SUBJECT });
    },
  );

  it('claims of more than 64 KiB are refused, and the log says what to filter', async () => {
    const groups = Array.from({ length: 2_000 }, (_, n) => `00000000-0000-0000-0000-${String(n).padStart(12, '0')}`);
    await expect(signIn({ idToken: { ...alice, groups } })).rejects.toMatchObject({
      reason: 'misconfigured',
      message: expect.stringMatching(/^the claims have \d{5} bytes: have the provider filter .* groups/),
      facts: { claim: 'groups' },
    });
    expect((await signIn({ idToken: { ...alice, groups: groups.slice(0, 1_000) } })).memberships?.group).toHaveLength(
      1_000,
    );
  });
});

describe('oidc: groups and roles', () => {
  it.each([
    ['a list', { groups: ['ops', 'dev'] }, 'groups', ['ops', 'dev']],
    ['a text where a list is meant, as one group', { groups: 'ops,admin' }, 'groups', ['ops,admin']],
    ['a path', { realm_access: { roles: ['ops'] } }, 'realm_access.roles', ['ops']],
    ['OpenID Connect Core §5.1.2 a name with dots', { 'https://example.com/groups': ['ops'] }, 'https://example.com/groups', ['ops']],
    ['odd members', { groups: [null, { name: 'ops' }, ['ops'], 7] }, 'groups', ['7']],
  ])('groups and roles are read from %s', async (_, idToken, path, expected) => {
    const { memberships } = await signIn({ idToken, change: { groupsClaim: path, rolesClaim: path } });
    expect(memberships).toEqual({ group: expected, role: expected });
  }); // biome-ignore format: rows

  it.each([
    ['objects', [{ name: 'contractors' }]],
    ['an object', { contractors: {} }],
    ['lists in a list', ['ops', ['contractors']]],
  ])('a claim with %s is not read completely, and the reason names it', async (_, value) => {
    const { incomplete } = await signIn({
      idToken: { groups: value, realm: { roles: value } },
      change: { rolesClaim: 'realm.roles' },
    });
    expect(incomplete).toEqual({
      group: 'the claim groups has members that are no text',
      role: 'the claim realm.roles has members that are no text',
    });
  });

  it.each([
    ['a list as its parent', { groups: ['ops'], realm: ['contractors'] }, /^the path of the claim realm.roles leads/],
    ['a text as its parent', { groups: ['ops'], realm: 'contractors' }, /^the path of the claim realm.roles leads/],
    ['OpenID Connect Core §5.6.2 a reference', { groups: ['ops'], _claim_names: { realm: 'src1' } }, /^the provider refers/],
  ])('a claim with %s is not read, and the reason names its path', async (_, idToken, reason) => {
    const { memberships, incomplete } = await signIn({ idToken, change: { rolesClaim: 'realm.roles' } });
    expect([memberships, incomplete]).toEqual([{ group: ['ops'] }, { role: expect.stringMatching(reason) }]);
  }); // biome-ignore format: rows

  it.each([[undefined], [null], [[]], ['ops'], [['ops', 7, true, null]]])(
    'a claim that is %j is read completely',
    async (groups) => {
      expect((await signIn({ idToken: { groups } })).incomplete).toBeUndefined();
    },
  );

  it.each([{}, { groups: null }])('groups come from userinfo if the id token has none: %j', async (none) => {
    const idToken = { ...alice, ...none };
    const { memberships } = await signIn({ idToken, userInfo: { groups: ['ops'] }, needs: ['group'] });
    expect(memberships, 'OpenID Connect Core §5.3.2: null says nothing').toEqual({ group: ['ops'] });
  });

  it('roles come from userinfo if the id token has the claim, but not what its path leads to', async () => {
    const { memberships, claims } = await signIn({
      idToken: { ...alice, access: { portal: { roles: ['user'] }, both: ['signed'] } },
      userInfo: { access: { mcp: { roles: ['ops'] }, both: ['all'], constructor: 'own' } },
      needs: ['role'],
      change: { rolesClaim: 'access.mcp.roles' },
    });
    expect(memberships).toEqual({ role: ['ops'] });
    expect(claims?.access).toEqual({
      portal: { roles: ['user'] },
      mcp: { roles: ['ops'] },
      both: ['signed'],
      constructor: 'own',
    });
  });

  it.each([
    ['lists', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
  ])('claims with %s that are nested too deeply end the sign-in, and the reason names the claim', async (_, wrap) => {
    const nested = (levels: number) => Array.from({ length: levels }).reduce(wrap, 'x');
    await expect(signIn({ idToken: { profile: nested(33) } })).rejects.toMatchObject({
      reason: 'misconfigured',
      facts: { claim: 'profile' },
    });
    expect((await signIn({ idToken: { profile: nested(32) } })).claims).toHaveProperty('profile');
  });
});

describe('oidc: the verified address', () => {
  const victim = 'victim@example.com';

  it.each([
    ['no flag', {}, {}],
    ['the flag false', { email_verified: false }, {}],
    ['the flag as a number', { email_verified: 1 }, {}],
    ['the flag in another source', {}, { email_verified: true }],
    ['the flag of another address', {}, { email: 'mallory@example.com', email_verified: false }],
    ['false in the id token and true in userinfo', { email_verified: false }, { email: victim, email_verified: true }],
  ])('an address with %s is not verified', async (_, idToken, userInfo) => {
    const identity = await signIn({ idToken: { email: victim, ...idToken }, userInfo });
    expect(identity).toMatchObject({ verifiedEmails: [], unverifiedEmail: victim });
    expect(identity.email).toBeUndefined();
  });

  it.each([
    ['in the id token', { email: victim, email_verified: true }, {}],
    ['in userinfo only', {}, { email: victim, email_verified: 'true' }],
    ['in both, with the flag in userinfo', { email: victim }, { email: victim, email_verified: true }],
  ])('an address that is verified %s counts', async (_, idToken, userInfo) => {
    expect(await signIn({ idToken, userInfo })).toMatchObject({ email: victim, verifiedEmails: [victim] });
  });

  it('an address with invisible characters is not shown, because it looks like another one, and rules may deny it', async () => {
    const odd = 'victim\u200b@example.com';
    const identity = await signIn({ idToken: { email: odd, email_verified: true } });
    expect(identity).toMatchObject({ email: undefined, unverifiedEmail: undefined, verifiedEmails: [odd] });
    const both = await signIn({ idToken: { email: odd, email_verified: true }, userInfo: alice });
    expect(both).toMatchObject({ email: alice.email, verifiedEmails: [odd, alice.email] });
  });
});

describe('OpenID Connect Core §3.1.2.1 another account at the provider', () => {
  it.each([
    [undefined, 'login'],
    [['none', 'login', 'select_account'], 'select_account'],
    [['none', 'login', 'consent'], 'login'],
    [['none'], 'login'],
    ['login', 'login'],
  ])('with the prompts %j in the metadata the request says %s', async (prompt_values_supported, prompt) => {
    await using upstream = await start();
    upstream.stage.routes.set('/.well-known/openid-configuration', () => ({
      ...metadata(upstream.issuer),
      prompt_values_supported,
    }));
    const target = await upstream.connector.begin(checks, { selectAccount: true });
    expect(target.searchParams.get('prompt')).toBe(prompt);
  });
});

describe('OpenID Connect Core §3.1.2.1 a new proof of who the person is', () => {
  it.each([
    [{ reauthenticate: true }, 'login'],
    [{ reauthenticate: true, selectAccount: true }, 'login select_account'],
  ])('the request for %j says prompt=%s and max_age=0', async (options, prompt) => {
    await using upstream = await start();
    upstream.stage.routes.set('/.well-known/openid-configuration', () => ({
      ...metadata(upstream.issuer),
      prompt_values_supported: ['login', 'select_account'],
    }));
    const { searchParams } = await upstream.connector.begin(checks, options);
    expect([searchParams.get('prompt'), searchParams.get('max_age')]).toEqual([prompt, '0']);
  });

  it('any other request has neither prompt nor max_age', async () => {
    await using upstream = await start();
    const { searchParams } = await upstream.connector.begin(checks);
    expect([searchParams.has('prompt'), searchParams.has('max_age')]).toEqual([false, false]);
  });

  it.each([
    [1_790_000_000, 1_790_000_000],
    ['yesterday', undefined],
    [null, undefined],
  ])('auth_time %j of the id token is read as %j', async (authTime, expected) => {
    await using upstream = await start();
    upstream.claims = { auth_time: authTime };
    const answer = await upstream.signIn(await upstream.connector.begin(checks));
    expect((await upstream.connector.finish(answer, checks)).authenticatedAt).toBe(expected);
  });
});
