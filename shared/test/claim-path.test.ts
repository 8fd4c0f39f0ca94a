/** Proves that a claim is found by its path, and that its texts are taken whole. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textsAt, unreadAt, valueAt } from '../src/claim-path.ts';

const claims = {
  groups: ['ops', 'dev'],
  realm_access: { roles: ['admin'] },
  resource_access: { 'mcp.example.com': { roles: ['owner'] } },
  'https://example.com/roles': ['editor'],
  'a.b': { c: 'longest name' },
  a: { 'b.c': 'shorter name', b: { c: 'shortest name', d: 'only here' } },
  none: null,
  'n.m': null,
  n: { m: 'below' },
};

describe('the path of a claim', () => {
  it.each([
    ['a member', 'groups', ['ops', 'dev']],
    ['a member of a member', 'realm_access.roles', ['admin']],
    ['OpenID Connect Core §5.1.2 a name with dots', 'https://example.com/roles', ['editor']],
    ['a name with dots inside', 'resource_access.mcp.example.com.roles', ['owner']],
    ['the longest of several names that fit', 'a.b.c', 'longest name'],
    ['a shorter name where the longest one has no such member', 'a.b.d', 'only here'],
    ['a member beside a null of the same path', 'n.m', 'below'],
  ])('a path finds %s', (_, path, value) => {
    expect(valueAt(claims, path)).toEqual(value);
  });

  it.each([
    '', '.', 'none', 'groups.', '.groups', 'groups.0', 'groups.length', 'none.x', 'unknown', 'realm_access.unknown', '__proto__',
    'constructor.name', 'realm_access.toString', 'GROUPS',
  ])('a path that fits no own member finds nothing: %j', (path) => {
    expect(valueAt(claims, path)).toBeUndefined();
  }); // biome-ignore format: one list

  it.each([undefined, null, 'groups', 7, [{ groups: 'x' }]])('claims that are no object have no members: %j', (odd) => {
    expect(valueAt(odd, 'groups')).toBeUndefined();
    expect(textsAt(odd, 'groups')).toEqual([]);
  });

  it('every member of an object is found by its name, and a null is no value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue(), { minKeys: 1 }), (members) => {
        for (const [name, value] of Object.entries(members)) expect(valueAt(members, name)).toBe(value ?? undefined);
      }),
    );
  });
});

describe('the texts of a claim', () => {
  it.each([
    ['a list of texts', ['ops', 'dev'], ['ops', 'dev']],
    ['a text, as a list of one', 'ops', ['ops']],
    ['a text with commas and spaces, whole', 'ops, dev admin', ['ops, dev admin']],
    ['a number', 7, ['7']],
    ['no number that JSON does not represent exactly', [2 ** 53, Number.POSITIVE_INFINITY, 0.5], ['0.5']],
    ['a boolean', false, ['false']],
    ['the scalars of a mixed list', ['ops', 7, true, null, {}, ['nested'], undefined], ['ops', '7', 'true']],
    ['nothing of an object', { ops: true }, []],
    ['nothing of null', null, []],
    ['nothing of an empty list', [], []],
  ])('the texts are those of %s', (_, value, texts) => {
    expect(textsAt({ groups: value }, 'groups')).toEqual(texts);
  });

  it.each([undefined, null, 'ops', [], ['ops', 7, true, null]])('the claim %j is read whole', (value) => {
    expect(unreadAt({ groups: value }, 'groups')).toBeUndefined();
    expect(unreadAt({ realm: { groups: value } }, 'realm.groups')).toBeUndefined();
  });

  it.each([[{ ops: true }], [[{ name: 'ops' }]], [['ops', ['dev']]], [[2 ** 53]], [Number.POSITIVE_INFINITY]])(
    'the claim %j has members that are not read',
    (value) => {
      expect(unreadAt({ groups: value }, 'groups')).toBe('the claim groups has members that are no text');
      expect(unreadAt({ realm: { groups: value } }, 'realm.groups')).toContain('members that are no text');
    },
  );

  it.each([
    ['realm.roles', { realm: ['ops'] }],
    ['realm.roles', { realm: [{ roles: ['ops'] }] }],
    ['realm.roles', { realm: 'ops' }],
    ['realm.roles', { realm: 7 }],
    ['realm.roles', { realm: false }],
    ['a.b.c', { a: { b: ['c'] } }],
    ['a.b.c', { 'a.b': ['c'] }],
    ['a.b.c', { 'a.b': 'x', a: { b: {} } }],
    ['https://example.com/app.roles', { 'https://example.com/app': '{"roles":["ops"]}' }],
  ])('the path %s that leads through something else than an object is not read: %j', (path, odd) => {
    expect(textsAt(odd, path)).toEqual([]);
    expect(unreadAt(odd, path)).toBe(`the path of the claim ${path} leads through a value that is no object`);
  });

  it.each([
    ['realm.roles', {}],
    ['realm.roles', { realm: null }],
    ['realm.roles', { realm: {} }],
    ['realm.roles', { realm: { roles: null } }],
    ['realm.roles', { realm: 'x', 'realm.roles': ['ops'] }],
    ['realm.constructor', { realm: {} }],
    ['constructor.name', {}],
    ['__proto__.x', {}],
    ['', { '': 'x' }],
  ])('the path %s of a claim that is absent, or found under another name, is read: %j', (path, plain) => {
    expect(unreadAt(plain, path)).toBeUndefined();
  });

  it('OpenID Connect Core §5.6.2 a claim that the provider keeps at another place is not read', () => {
    const distributed = { _claim_names: { groups: 'src1', realm: 'src1' } };
    for (const path of ['groups', 'realm', 'realm.roles']) {
      expect(unreadAt(distributed, path)).toBe(`the provider refers to another place for the claim ${path}`);
    }
    expect(unreadAt(distributed, 'roles')).toBeUndefined();
    expect(unreadAt({ ...distributed, groups: ['ops'] }, 'groups')).toBeUndefined();
    expect(unreadAt({ _claim_names: ['groups'] }, 'groups')).toBeUndefined();
  });
});
