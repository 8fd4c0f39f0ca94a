/** Proves who may come in: each type of rule, a denial that wins, and values that only look alike. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type Rules } from '../../src/access/decision.ts';
import { indexOf, parseRuleList } from '../../src/access/rules/rule-list.ts';
import { storedIdentity } from '../../src/access/stored-identity.ts';
import type { Identity } from '../../src/federation/connector.ts';

const listOf = (text: string) => indexOf(text ? parseRuleList(text).rules : [], ['org', 'team', 'user']);
const rules = (allow: string | undefined, deny = ''): Rules => ({
  allow: allow === undefined ? undefined : listOf(allow),
  deny: listOf(deny),
});
const person = (members: Partial<Identity> = {}): Identity => ({
  issuer: 'https://idp.example',
  subject: '1',
  ...members,
});
const withMail = (...verifiedEmails: string[]) => person({ verifiedEmails });

describe('rules about people', () => {
  it.each([
    ['domain:example.com', withMail('alice@example.com')],
    ['domain:EXAMPLE.com', withMail('alice@Example.COM')],
    ['domain:exämple.com', withMail('alice@xn--exmple-cua.com')],
    ['domain:xn--exmple-cua.com', withMail('alice@exämple.com')],
    ['domain:*.example.com', withMail('alice@a.b.example.com')],
    ['domain:example.com', person({ domains: ['example.com'] })],
    ['email:Alice@Example.com', withMail('alice@example.com')],
    ['email:b@x.example', withMail('a@x.example', 'b@x.example')],
    ['subject:1', person()],
    ['group:ops', person({ memberships: { group: ['dev', 'ops'] } })],
    ['role:mcp.user', person({ memberships: { role: ['mcp.user'] } })],
    ['org:Acme', person({ memberships: { org: ['acme', '12'] } })],
    ['team:acme/platform', person({ memberships: { team: ['acme/platform'] } })],
    ['user:583231', person({ memberships: { user: ['octocat', '583231'] } })],
    ['claim:realm_access.roles=ops', person({ claims: { realm_access: { roles: ['ops'] } } })],
    ['claim:https://example.com/roles=ops', person({ claims: { 'https://example.com/roles': 'ops' } })],
    ['claim:level=3', person({ claims: { level: 3 } })],
    ['anyone', person()],
  ])('%s allows the person whom it names', (allow, identity) => {
    expect(decide(identity, rules(allow))).toEqual({ isAllowed: true, reason: `allowed by ${allow}`, notes: [] });
  });

  it.each([
    ['domain:example.com', withMail('alice@example.com.evil.test')],
    ['domain:example.com', withMail('alice@sub.example.com')],
    ['domain:example.com', withMail('alice@exam\u200bple.com')],
    ['domain:example.com', withMail('alice@exam\u00adple.com')],
    ['domain:example.com', withMail('alice@notexample.com')],
    ['domain:example.com', withMail('"alice@example.com"@evil.test')],
    ['domain:example.com', withMail('alice@example.com@evil.test')],
    ['domain:example.com', withMail('alice@evil.test\n@example.com')],
    ['domain:example.com', withMail('mallory@example.com/.evil.test')],
    ['domain:example.com', withMail('mallory@example.com?.evil.test')],
    ['domain:example.com', withMail('mallory@example.com\\.evil.test')],
    ['domain:example.com', withMail('mallory@%65xample.com')],
    ['domain:example.com', withMail('mallory@exa\tmple.com')],
    ['domain:example.com', withMail('mallory@example.com\uff0f.evil.test')],
    ['email:alice@example.com', withMail('alice@example.com#.evil.test')],
    ['domain:example.com', withMail('alice@example.com,b@evil.test')],
    ['domain:*.example.com', withMail('alice@example.com')],
    ['domain:*.example.com', withMail('alice@evilexample.com')],
    ['domain:example.com', person({ domains: [], verifiedEmails: ['alice@example.com'] })],
    ['email:kelvin@example.com', withMail('\u212Aelvin@example.com')],
    ['email:alice@example.com', withMail('alice+x@example.com')],
    ['group:ops', person({ memberships: { group: ['devops', 'ops-readers', 'OPS'] } })],
    ['claim:groups=ops', person({ claims: { groups: 'devops ops' } })],
    ['claim:groups=ops', person({ claims: { groups: 'dev,ops' } })],
    ['claim:groups=ops', person({ claims: { groups: { ops: true } } })],
    ['claim:groups=ops', person({ claims: { groups: [['ops']] } })],
    ['claim:constructor=ops', person({ claims: {} })],
    ['group:ops', person({ claims: { group: ['ops'] } })],
    ['subject:1', person({ subject: '11' })],
  ])('%s does not match somebody who only looks alike', (allow, identity) => {
    expect(decide(identity, rules(allow)).isAllowed).toBe(false);
  });

  it('an address counts only if the identity provider says that it is verified, and the reason says so', () => {
    const identity = person({ unverifiedEmail: 'alice@example.com' });
    for (const allow of ['domain:example.com', 'email:alice@example.com']) {
      expect(decide(identity, rules(allow))).toMatchObject({
        isAllowed: false,
        reason:
          'no rule allows this person; rules for e-mail and domain do not count, because the identity provider does not say that the e-mail address is verified',
      });
    }
  });

  it('a denial wins, whatever allows', () => {
    const identity = person({
      verifiedEmails: ['mallory@example.com'],
      memberships: { group: ['ops', 'contractors'] },
    });
    for (const deny of [
      'email:mallory@example.com',
      'group:contractors',
      'domain:example.com',
      'subject:1',
      'anyone',
    ]) {
      expect(decide(identity, rules('anyone,group:ops', deny))).toMatchObject({
        isAllowed: false,
        reason: `denied by ${deny}`,
      });
    }
  });

  it('a denial of a group is not decided by a list that is not complete', () => {
    const identity = person({ incomplete: { org: 'GitHub hides organisations' }, verifiedEmails: ['a@example.com'] });
    expect(decide(identity, rules('domain:example.com', 'org:rivals'))).toMatchObject({
      isAllowed: false,
      reason: "org:rivals can't be decided: GitHub hides organisations",
    });
    expect(decide(identity, rules('domain:example.com', 'group:x')).isAllowed).toBe(true);
    expect(decide(identity, rules('org:acme')).reason).toContain('the list for org is not complete');
  });

  it.each([
    ['groups', { groups: [{ name: 'contractors' }] }, 'the claim groups has members that are no text'],
    ['groups', { groups: { contractors: true } }, 'the claim groups has members that are no text'],
    [
      'realm.roles',
      { realm: ['contractors'] },
      'the path of the claim realm.roles leads through a value that is no object',
    ],
    ['groups', { _claim_names: { groups: 'src1' } }, 'the provider refers to another place for the claim groups'],
  ])(
    'a denial by the claim %s is not decided by %j, and no such rule allows, at the sign-in and later',
    (path, claims, why) => {
      const identity = person({ claims });
      const stored = storedIdentity(identity, { has: () => false, claims: [path] });
      expect(decide(identity, rules('anyone', `claim:${path}=contractors`))).toMatchObject({
        isAllowed: false,
        reason: `claim:${path}=contractors can't be decided: ${why}`,
      });
      expect(decide(stored, rules('anyone', `claim:${path}=contractors`)).isAllowed).toBe(false);
      expect(decide(identity, rules(`claim:${path}=contractors`)).reason).toBe(
        `no rule allows this person; a rule about a claim did not see all of it: ${why}`,
      );
      expect(decide(identity, rules(`claim:${path}=contractors,subject:1`)).isAllowed).toBe(true);
      expect(decide(identity, rules('anyone', 'claim:tier=1')).isAllowed).toBe(true);
    },
  );

  it('RFC 5321 §4.5.3.1.3 an address of 254 characters is compared like a short one', () => {
    const long = `mallory@${`${'a'.repeat(59)}.`.repeat(4)}xyz`.slice(0, 240).concat('.rival.example');
    expect(decide(withMail(long), rules('anyone', 'domain:*.rival.example')).isAllowed).toBe(false);
    expect(
      decide(withMail(`x@${'\u00fc'.repeat(60_000)}.example`), rules('anyone', 'domain:a.example')).isAllowed,
    ).toBe(true);
  });

  it('a dot at the end of a domain changes nothing', () => {
    expect(decide(withMail('mallory@acme.example.'), rules('anyone', 'domain:acme.example')).isAllowed).toBe(false);
  });

  it.each([
    '"mallory"@rival.example',
    'mal lory@rival.example',
    'x@y@rival.example',
    '"a@b"@Rival.example.',
    'mal\u200blory@rival.example',
    'mallory@ri\u200bval.example',
    'mallory@ri\u00adval.example',
  ])('RFC 5321 §4.1.2 a denial by address is not decided by %s, whose local part is not compared', (address) => {
    for (const deny of ['domain:rival.example', 'email:mallory@rival.example', 'domain:other.example']) {
      expect(decide(withMail('a@b.example', address), rules('anyone', deny))).toEqual({
        isAllowed: false,
        reason: `${deny} can't be decided: an e-mail address of the person has a form that is not compared`,
        notes: [],
      });
    }
    const google = person({ verifiedEmails: [address], domains: ['acme.example'] });
    expect(decide(google, rules('anyone', 'domain:rival.example')).isAllowed).toBe(true);
    expect(decide(withMail(address), rules('anyone', 'group:x')).isAllowed).toBe(true);
  });

  it.each(['alice@localhost', 'alice@[192.0.2.1]', 'alice'])(
    'a denial by address is decided by %s, which has no domain that a rule can name',
    (address) => {
      expect(decide(withMail(address), rules('anyone', 'domain:rival.example')).isAllowed).toBe(true);
    },
  );

  it('a person who is let in although a denial by address could not be applied is noted', () => {
    const identity = person({ unverifiedEmail: 'mallory@example.com' });
    expect(decide(identity, rules('anyone', 'email:mallory@example.com'))).toMatchObject({
      isAllowed: true,
      notes: [expect.stringContaining('does not say that the e-mail address is verified')],
    });
  });

  it('a denial that is newer than the last sign-in refuses, until the person signs in again', () => {
    const whole = person({
      verifiedEmails: ['a@example.com'],
      memberships: { group: ['contractors'] },
      claims: { tier: '1' },
    });
    const needs = { has: (type: string) => type === 'domain', claims: [] };
    const stored = storedIdentity(whole, needs);
    for (const deny of ['group:contractors', 'group:others', 'claim:tier=1']) {
      expect(decide(stored, rules('domain:example.com', deny))).toMatchObject({
        isAllowed: false,
        reason: `${deny} can't be decided before the next sign-in: the rule is newer than the last one`,
      });
    }
    expect(decide(whole, rules('domain:example.com', 'group:others')).isAllowed).toBe(true);
    expect(decide(stored, rules('domain:example.com', 'subject:2,email:b@example.com')).isAllowed).toBe(true);
  });

  it('an account of a provider that vouches for no domain is never taken for one of its e-mail domain', () => {
    const google = person({ email: 'alice@example.com', verifiedEmails: ['alice@example.com'], domains: [] });
    for (const has of [() => false, () => true]) {
      const stored = storedIdentity(google, { has, claims: [] });
      expect(decide(stored, rules('domain:example.com')).isAllowed).toBe(false);
    }
  });

  it('an identity of a connector that reports one address has one verified address', () => {
    expect(decide(person({ email: 'alice@example.com' }), rules('domain:example.com')).isAllowed).toBe(true);
  });

  it('without a rule everybody may come in, but for those who are denied', () => {
    expect(decide(person(), rules(undefined)).isAllowed).toBe(true);
    expect(decide(person(), rules(undefined, 'subject:1')).isAllowed).toBe(false);
  });
});

describe('properties of the decision', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/);
  const rule = fc.oneof(
    fc.constantFrom('anyone'),
    fc.tuple(fc.constantFrom('group', 'role', 'subject'), word).map(([type, value]) => `${type}:${value}`),
    word.map((name) => `domain:${name}.example`),
    fc.tuple(word, word).map(([local, name]) => `email:${local}@${name}.example`),
  );
  const identities = fc.record({
    issuer: fc.constant('https://idp.example'),
    subject: word,
    verifiedEmails: fc.array(
      fc.tuple(word, word).map(([local, name]) => `${local}@${name}.example`),
      { maxLength: 3 },
    ),
    memberships: fc.record({ group: fc.array(word, { maxLength: 4 }), role: fc.array(word, { maxLength: 4 }) }),
  });
  const lists = fc.array(rule, { minLength: 1, maxLength: 6 }).map((members) => members.join(','));

  it('nobody who matches a denial comes in, and one more denial never lets anybody in', () => {
    fc.assert(
      fc.property(identities, lists, lists, rule, (identity, allow, deny, more) => {
        const before = decide(identity, rules(allow, deny)).isAllowed;
        const after = decide(identity, rules(allow, `${deny},${more}`)).isAllowed;
        return before || !after;
      }),
    );
  });

  it('one more rule that allows never shuts anybody out, and the order of rules does not decide', () => {
    fc.assert(
      fc.property(identities, lists, lists, rule, (identity, allow, deny, more) => {
        const before = decide(identity, rules(allow, deny)).isAllowed;
        const after = decide(identity, rules(`${more},${allow}`, deny)).isAllowed;
        const reversed = decide(identity, rules(allow.split(',').reverse().join(','), deny)).isAllowed;
        return (!before || after) && reversed === before;
      }),
    );
  });

  it('what is stored of a person decides as the person did at the sign-in', () => {
    fc.assert(
      fc.property(identities, lists, lists, (identity, allow, deny) => {
        const configured = rules(allow, deny);
        const types = new Set([...(configured.allow?.rules ?? []), ...configured.deny.rules].map(({ type }) => type));
        const stored = storedIdentity(identity, { has: (type) => types.has(type), claims: [] });
        return decide(stored, configured).isAllowed === decide(identity, configured).isAllowed;
      }),
    );
  });

  it('what is stored of the claims decides as they did at the sign-in, whatever their form', () => {
    const name = fc.constantFrom('a', 'b', 'a.b', '_claim_names', '__proto__');
    const { claims } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom('x', 'y', 7, true, null, 2 ** 60),
        tie('list'),
        tie('claims'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      claims: fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
    }));
    const paths = ['a', 'b', 'a.b', 'b.a', 'a.b.a', '__proto__', '__proto__.a'];
    const claimRule = fc
      .tuple(fc.constantFrom(...paths), fc.constantFrom('x', 'y', '7', 'true'))
      .map(([path, value]) => `claim:${path}=${value}`);
    const lists = fc.array(claimRule, { minLength: 1, maxLength: 3 }).map((members) => members.join(','));
    fc.assert(
      fc.property(claims as fc.Arbitrary<Record<string, unknown>>, lists, lists, (given, allow, deny) => {
        const identity = person({ claims: given });
        for (const configured of [rules(allow), rules('anyone', deny), rules(allow, deny)]) {
          const stored = JSON.parse(JSON.stringify(storedIdentity(identity, { has: () => false, claims: paths })));
          expect(decide(stored, configured).isAllowed).toBe(decide(identity, configured).isAllowed);
        }
      }),
      {
        numRuns: 1_000,
        examples: [[{ a: { b: true }, 'a.b': null }, 'claim:a.b=true', 'claim:a=x']],
      },
    );
  });

  it('unverified addresses never change the decision', () => {
    fc.assert(
      fc.property(identities, lists, fc.tuple(word, word), (identity, allow, [local, name]) => {
        const unverifiedEmail = `${local}@${name}.example`;
        return (
          decide(identity, rules(allow)).isAllowed === decide({ ...identity, unverifiedEmail }, rules(allow)).isAllowed
        );
      }),
    );
  });

  it('no identity makes the decision throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 60 }),
        fc.dictionary(fc.string(), fc.jsonValue()),
        (text, claims) => {
          const identity = person({ subject: text, verifiedEmails: [text], domains: [text], claims });
          return (
            typeof decide(identity, rules('domain:example.com,claim:a.b=c,email:a@b.example')).isAllowed === 'boolean'
          );
        },
      ),
    );
  });
});
