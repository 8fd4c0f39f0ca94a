/** Proves that a form token is valid only for the facts that its page showed, and only for the person who saw them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approvalOf, approvedClaims, formToken, isRemembered, remember } from '../../src/consent/approval.ts';
import type { PendingInteraction } from '../../src/consent/interaction.ts';

const pending: PendingInteraction = {
  uid: 'one',
  client: { id: 'client', name: 'App', identity: { client_name: 'App', jwks: { keys: [{ kty: 'EC', x: '1' }] } } },
  redirectUri: 'https://app.example/callback',
  resource: { identifier: 'https://mcp.example/mcp', name: 'mcp.example' },
  scopes: [{ name: 'mcp:tools', description: 'Use the tools' }],
  accountId: 'alice',
};

const identity = (change: object) => ({
  client: { ...pending.client, identity: { ...pending.client.identity, ...change } },
});

const upstream = (scopes: readonly string[]) => ({
  name: 'mcp:tools',
  description: 'Use the tools',
  upstream: { name: 'upstream:github', connector: 'github', provider: 'GitHub', scopes },
});

/** Each row changes one fact of the page. */
const CHANGES: readonly (readonly [string, Partial<PendingInteraction>])[] = [
  ['another client', { client: { ...pending.client, id: 'other' } }],
  ['a client of CLIENTS', { client: { ...pending.client, byOperator: true } }],
  ['another name of the client', identity({ client_name: 'Another app' })],
  ['another page of the client', identity({ client_uri: 'https://evil.example' })],
  ['another key of the client', identity({ jwks: { keys: [{ kty: 'EC', x: '2' }] } })],
  ['one more redirect URI of the client', identity({ redirect_uris: ['https://evil.example/callback'] })],
  ['another redirect URI', { redirectUri: 'https://evil.example/callback' }],
  ['another path at the same host', { redirectUri: 'https://app.example/callback2' }],
  ['another query at the same host', { redirectUri: 'https://app.example/callback?to=evil' }],
  ['another port of a host that is not this machine', { redirectUri: 'https://app.example:8443/callback' }],
  ['another server', { resource: { identifier: 'https://other.example/mcp', name: 'mcp.example' } }],
  ['another scope', { scopes: [{ name: 'mcp:admin', description: 'Use the tools' }] }],
  ['a claim about the person', { claims: ['name'] }],
  ['an account at an upstream', { scopes: [...pending.scopes, { ...upstream(['repo']), name: 'upstream:github' }] }],
  ['another person', { accountId: 'bob' }],
];

describe('RFC 9700 §4.7 the form token', () => {
  it.each([
    ...CHANGES,
    ['another interaction', { uid: 'two' }],
    ['nobody', { accountId: undefined }],
  ] as typeof CHANGES)('a form token is not valid for %s', (_, change) => {
    expect(formToken('key', { ...pending, ...change })).not.toBe(formToken('key', pending));
  });

  it('a form token is valid at a replica that knows the same scopes in another order', () => {
    const tokenFor = (...names: readonly string[]) =>
      formToken('key', { ...pending, scopes: names.map((name) => ({ name, description: name })) });
    expect(tokenFor('mcp:admin', 'mcp:tools')).toBe(tokenFor('mcp:tools', 'mcp:admin'));
  });

  it('a form token is valid when the same metadata is read back with its members in another order', () => {
    const other = { jwks: { keys: [{ x: '1', kty: 'EC' }] }, client_name: 'App' };
    const reread = { ...pending, client: { ...pending.client, identity: other } };
    expect(formToken('key', reread)).toBe(formToken('key', pending));
  });

  it('a form token is not valid when tools want something else at the upstream than the page showed', () => {
    const tokenFor = (...scopes: readonly string[]) => formToken('key', { ...pending, scopes: [upstream(scopes)] });
    expect(tokenFor('repo')).toBe(tokenFor('repo'));
    expect(tokenFor('repo')).not.toBe(tokenFor('repo', 'admin'));
    expect(approvalOf({ ...pending, scopes: [upstream(['repo'])] })).not.toBe(
      approvalOf({ ...pending, scopes: [upstream(['admin'])] }),
    );
  });

  it('a form token is not valid for another key', () =>
    expect(formToken('other', pending)).not.toBe(formToken('key', pending)));
});

describe('the approval that a login state carries to the upstream', () => {
  const withoutAccount = CHANGES.filter(([, change]) => !('accountId' in change));
  it.each(withoutAccount)('a pending approval is not valid for %s', (_, change) => {
    expect(approvalOf({ ...pending, ...change })).not.toBe(approvalOf(pending));
  });

  it('a pending approval is valid for any account that signs in at the upstream', () => {
    expect(approvalOf({ ...pending, accountId: 'bob' })).toBe(approvalOf({ ...pending, accountId: undefined }));
  });
});

describe('the approval that a grant remembers', () => {
  const approved = remember([], pending);

  it('a remembered approval is valid for the same page again, in any interaction', () => {
    expect(isRemembered(approved, { ...pending, uid: 'two' })).toBe(true);
  });

  it.each(CHANGES)('a remembered approval is not valid for %s', (_, change) => {
    expect(isRemembered(approved, { ...pending, ...change })).toBe(false);
  });

  it('a remembered approval covers fewer scopes, and no further ones', () => {
    const scopes = (...names: readonly string[]) => ({
      ...pending,
      scopes: names.map((name) => ({ name, description: name })),
    });
    const wide = remember([], scopes('mcp:tools', 'mcp:admin'));
    expect(isRemembered(wide, scopes('mcp:admin'))).toBe(true);
    expect(isRemembered(approved, scopes('mcp:tools', 'mcp:admin'))).toBe(false);
    expect(isRemembered(remember(approved, scopes('mcp:admin')), scopes('mcp:tools', 'mcp:admin'))).toBe(true);
  });

  it('a remembered approval covers fewer claims about the person, and no further ones', () => {
    const telling = (...claims: NonNullable<PendingInteraction['claims']>) => ({ ...pending, claims });
    const wide = remember([], telling('email', 'name'));
    expect([isRemembered(wide, telling('name', 'email')), isRemembered(wide, telling('name'))]).toEqual([true, true]);
    expect([isRemembered(wide, pending), isRemembered(wide, telling('name', 'groups'))]).toEqual([true, false]);
    expect(isRemembered(remember(wide, telling('groups')), telling('name', 'email', 'groups'))).toBe(true);
  });

  it('an approval of a page without claims is the same as before there were claims', () => {
    expect(remember([], { ...pending, claims: [] })).toEqual(approved);
    expect(Object.keys(approved[0] ?? {})).toEqual(['facts', 'scopes']);
    expect(formToken('key', { ...pending, claims: [] })).toBe(formToken('key', pending));
  });

  it('the approved claims of a resource are those of its own pages, at whichever redirect URI', () => {
    const other = { identifier: 'https://other.example/mcp', name: 'other' };
    const approvals = [
      { ...pending, claims: ['name'] as const },
      { ...pending, claims: ['email'] as const, redirectUri: 'https://app.example/2' },
      { ...pending, claims: ['groups'] as const, resource: other },
      pending,
    ].reduce<ReturnType<typeof remember>>(remember, []);
    expect([...approvedClaims(approvals, pending.resource.identifier)].sort()).toEqual(['email', 'name']);
    expect([...approvedClaims(approvals, other.identifier)]).toEqual(['groups']);
    expect(approvedClaims(approved, pending.resource.identifier).size).toBe(0);
  });

  it('a remembered approval of one redirect URI lends no scopes to another', () => {
    const elsewhere = { ...pending, redirectUri: 'https://other.example/callback' };
    const both = remember(approved, { ...elsewhere, scopes: [{ name: 'mcp:admin', description: 'x' }] });
    expect([isRemembered(both, pending), isRemembered(both, elsewhere)]).toEqual([true, false]);
  });

  it('an approval of a page without scopes is remembered', () => {
    const bare = { ...pending, scopes: [] };
    expect([isRemembered(remember([], bare), bare), isRemembered([], bare)]).toEqual([true, false]);
  });

  it('an approval remembers at most twenty redirect URIs, and drops the oldest', () => {
    const places = Array.from({ length: 21 }, (_, n) => ({ ...pending, redirectUri: `https://app.example/${n}` }));
    const all = places.reduce(remember, [] as ReturnType<typeof remember>);
    expect(all).toHaveLength(20);
    expect(places.map((place) => isRemembered(all, place))).toEqual([false, ...Array(20).fill(true)]);
  });
});

describe('RFC 8252 §7.3, §8.3 approval of a loopback redirect URI', () => {
  const at = (redirectUri: string) => ({ ...pending, redirectUri });
  const hosts = fc.constantFrom('localhost', '127.0.0.1', '[::1]');
  const ports = fc.oneof(
    fc.constant(''),
    fc.integer({ min: 1, max: 65_535 }).map((port) => `:${port}`),
  );
  const address = fc.tuple(hosts, ports).map(([host, port]) => `http://${host}${port}`);

  it('a loopback redirect URI is the same under each loopback name and port, with the same path', () => {
    fc.assert(
      fc.property(address, address, fc.constantFrom('', '/', '/cb', '/cb?x=1'), (one, other, path) => {
        expect(isRemembered(remember([], at(one + path)), at(other + path))).toBe(true);
        expect(isRemembered(remember([], at(one + path)), at(`${other}/elsewhere`))).toBe(false);
      }),
    );
  });

  it.each([
    'http://localhost.evil.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://127.0.0.1@evil.example/cb',
    'http://evil.example@127.0.0.1/cb',
    'http://localhost:80@evil.example/cb',
    'https://localhost/cb',
    'http://evil.example/http://localhost/cb',
  ])('the URI %s is not the approved loopback URI', (uri) => {
    expect(isRemembered(remember([], at('http://localhost/cb')), at(uri))).toBe(false);
  });
});
