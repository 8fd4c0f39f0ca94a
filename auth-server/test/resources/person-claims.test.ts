/** Proves what of a person becomes a claim of a token, within its limit, and how the claims are named in settings (RFC 9068 §2.2.2). */
import { PERSON_CLAIMS, type PersonClaim } from '@mcp-oauth/shared/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Described, neededMemberships, personClaims, tokenClaims } from '../../src/resources/person-claims.ts';
import { resources } from '../../src/resources/resource-setting.ts';

const NAMES = Object.keys(PERSON_CLAIMS) as PersonClaim[];
const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

const texts = fc.array(fc.string(), { maxLength: 20 });
const person: fc.Arbitrary<Described> = fc.record(
  {
    name: fc.string({ unit: 'grapheme' }),
    username: fc.string(),
    email: fc.emailAddress(),
    memberships: fc.record({ group: texts, role: texts, org: texts }, { requiredKeys: [] }),
  },
  { requiredKeys: [] },
);

describe('the claims of a token', () => {
  it('a token says no claim that was not named, and the claims together are never larger than the limit', () => {
    fc.assert(
      fc.property(person, fc.subarray(NAMES), fc.integer({ min: 0, max: 400 }), (described, names, limit) => {
        const { claims, leftOut } = tokenClaims(described, names, limit);
        const named = names.map((name) => PERSON_CLAIMS[name] as string);
        expect(Object.keys(claims).filter((claim) => !named.includes(claim))).toEqual([]);
        expect(Object.keys(claims).length === 0 || sizeOf(claims) <= limit).toBe(true);
        for (const { claim, size = 0 } of leftOut)
          expect([claims[PERSON_CLAIMS[claim]], size > 0]).toEqual([undefined, true]);
      }),
    );
  });

  it('a claim is the value of the identity, whole', () => {
    fc.assert(
      fc.property(person, (described) => {
        const { claims, leftOut } = tokenClaims(described, NAMES, 1_000_000);
        const { name, username, email, memberships: { group, role } = {} } = described;
        expect(leftOut).toEqual([]);
        expect(claims).toEqual(
          JSON.parse(
            JSON.stringify({
              name,
              email,
              preferred_username: username,
              groups: group,
              roles: role,
              org: claims.org,
            }),
          ),
        );
      }),
    );
  });

  it('short claims come before lists, so a long list of groups takes the name from nobody', () => {
    const described = { name: 'Ada', memberships: { group: Array<string>(99).fill('x'.repeat(9)), role: ['admin'] } };
    const { claims, leftOut } = tokenClaims(described, ['groups', 'roles', 'name'], 256);
    expect(claims).toEqual({ name: 'Ada', roles: ['admin'] });
    expect(leftOut).toEqual([
      { claim: 'groups', reason: 'too large', size: sizeOf({ groups: described.memberships.group }) },
    ]);
  });
});

describe('the claims about memberships', () => {
  it.each([
    [[{ id: 'org_9ybs', name: 'acme' }], 'acme'],
    [[{ id: '9919', name: 'acme' }], 'acme'],
    [[{ id: '9919' }], '9919'],
    [[], undefined],
    [
      [
        { id: '1', name: 'acme' },
        { id: '2', name: 'globex' },
      ],
      undefined,
    ],
    [[{ id: '1', name: 'acme' }, { id: '2' }], undefined],
  ])('a person of the organisations %j has the org %j, which is never one of several', (organizations, expected) => {
    const org = organizations.flatMap(({ id, name }: { id: string; name?: string }) => (name ? [name, id] : [id]));
    expect(tokenClaims({ memberships: { org }, organizations }, ['org'], 256).claims.org).toBe(expected);
  });

  it('a connector that lists values only has one organisation for each value', () => {
    const orgOf = (...org: string[]) => tokenClaims({ memberships: { org } }, ['org'], 256).claims.org;
    expect([orgOf('acme'), orgOf('acme', '9919'), orgOf()]).toEqual(['acme', undefined, undefined]);
  });

  it('a list that the identity provider did not send completely is left out, with its reason', () => {
    const memberships = { group: ['ops'], role: ['admin'], org: ['acme'] };
    const described = { memberships, incomplete: { group: 'overage', org: 'hidden' } };
    expect(tokenClaims(described, NAMES, 1_000)).toEqual({
      claims: { roles: ['admin'] },
      leftOut: [
        { claim: 'org', reason: 'hidden' },
        { claim: 'groups', reason: 'overage' },
      ],
    });
  });
});

describe('a list of which nothing is known', () => {
  it('a claim is left out with its reason, also if the identity provider listed nothing that can be read', () => {
    const incomplete = { group: 'the claim groups has members that are no text' };
    expect(tokenClaims({ incomplete }, ['name', 'groups'], 1_000)).toEqual({
      claims: {},
      leftOut: [{ claim: 'groups', reason: incomplete.group }],
    });
    expect(tokenClaims({ incomplete }, ['name'], 1_000).leftOut).toEqual([]);
  });
});

describe('the names of claims in settings', () => {
  it.each([
    ['name', ['name']],
    ['email, name email', ['name', 'email']],
    ['org,roles,groups,email,username,name', NAMES],
  ])('TOKEN_CLAIMS=%s names %j, each once', (text, names) => {
    expect(personClaims().parse(text)).toEqual(names);
  });

  it.each(['phone', 'name,,email', 'name,*', 'Name', 'sub'])(
    'TOKEN_CLAIMS=%s is refused, and the message names what there is',
    (text) => {
      const { error } = personClaims().safeParse(text);
      expect(error?.issues[0]?.message).toMatch(/expected (some of name, username, email|each value)|empty value/);
    },
  );

  it('RESOURCES takes claims of one resource, and refuses an unknown one with its place', () => {
    const read = (claims: unknown) => resources().safeParse(JSON.stringify([{ url: 'https://a.example', claims }]));
    expect(read(['email', 'name']).data?.[0].claims).toEqual(['name', 'email']);
    expect(read([]).data?.[0].claims).toEqual([]);
    expect(read(['phone']).error?.issues[0]?.message).toContain('(0.claims.0: expected some of name, username');
    expect(read('name').error?.issues[0]?.message).toContain('0.claims');
  });
});

describe('what has to be known of a person', () => {
  it('only claims about memberships need memberships', () => {
    const needed = (...claims: readonly PersonClaim[]) => [...neededMemberships(claims)];
    expect(needed()).toEqual([]);
    expect(needed('name', 'username', 'email')).toEqual([]);
    expect(needed('name', 'groups', 'roles', 'org', 'groups').sort()).toEqual(['group', 'org', 'role']);
  });
});
