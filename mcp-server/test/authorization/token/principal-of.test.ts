/** Proves what the claims of a verified token decide, by the rules of its issuer. */
import { describe, expect, it } from 'vitest';
import { readClaimRule } from '../../../src/authorization/token/claim-rule.ts';
import { principalOf } from '../../../src/authorization/token/principal-of.ts';
import type { TokenRules } from '../../../src/authorization/token/rules.ts';
import { readScopeMapping } from '../../../src/authorization/token/scope-map.ts';
import type { TokenError } from '../../../src/authorization/token-error.ts';
import { tokenRules } from '../../support/issuer.ts';

const NOW = 1_000_000;
const AUD = 'https://mcp.example/mcp';

const principal = (claims: Record<string, unknown>, rules: Partial<TokenRules> = {}, isTyped = true) =>
  principalOf(
    { aud: AUD, sub: 'ada', client_id: 'desk', exp: NOW + 60, ...claims },
    { ...tokenRules('https://as.example'), ...rules },
    { isTyped, now: NOW },
  );

function refusal(...given: Parameters<typeof principal>) {
  try {
    principal(...given);
    return undefined;
  } catch (error) {
    const { reason, finding } = error as TokenError;
    return { reason, ...finding };
  }
}

const scopes = (claims: Record<string, unknown>, rules: Partial<TokenRules>) =>
  [...principal(claims, rules).scopes].sort();

describe('RFC 8693 §4.1 the actors of a token', () => {
  const nested = (depth: number): object => ({ sub: `s${depth}`, ...(depth > 1 && { act: nested(depth - 1) }) });

  it('the actors are read from the last to the first, and what cannot be read is left out', () => {
    expect(principal({}).actors).toBeUndefined();
    expect(principal({ act: 'mcp-server' }).actors).toBeUndefined();
    expect(principal({ act: nested(3) }).actors).toEqual(['s3', 's2', 's1']);
    expect(principal({ act: { iss: 'x', act: { sub: 'first' } } }).actors).toEqual(['first']);
    expect(principal({ act: nested(1_000) }).actors).toHaveLength(8);
  });
});

describe('the scopes of a token', () => {
  it.each([
    ['a text', { scope: 'a b' }, ['a', 'b']],
    ['a list', { scope: ['a', 'b'] }, ['a', 'b']],
    ['two claims', { scope: 'a', scp: ['b'] }, ['a', 'b']],
    ['no claim', {}, []],
    ['a number', { scope: 5 }, ['5']],
    ['an empty text', { scope: '' }, []],
  ])('scopes are read from %s (RFC 9068 §2.2.3)', (_, claims, expected) => {
    expect(scopes(claims, {})).toEqual(expected);
  });

  it('scopes are read at any path, joined, and from the names of the members of an object', () => {
    const scopeClaims = ['realm_access.roles', 'resource_access.my.app.roles', 'https://x.example/roles', 'urn:roles'];
    const claims = {
      realm_access: { roles: ['a'] },
      resource_access: { 'my.app': { roles: ['b'] } },
      'https://x.example/roles': ['c'],
      'urn:roles': { d: { org: 'x' } },
      scope: 'ignored',
    };
    expect(scopes(claims, { scopeClaims })).toEqual(['a', 'b', 'c', 'd']);
  });

  it('scopes of the issuer become those of this server by a map with patterns, after a prefix is removed', () => {
    const scopeMap = ['ops=mcp:admin', 'ops=mcp:tools', 'role-*-user=mcp:tools', 'cn=x=y'].map(readScopeMapping);
    const rules = { scopeMap, scopePrefixes: ['api://app/'], scopeClaims: ['scope', 'roles'] };
    expect(scopes({ roles: ['ops'] }, rules)).toEqual(['mcp:admin', 'mcp:tools']);
    expect(scopes({ roles: ['role-any-user'] }, rules)).toEqual(['mcp:tools']);
    expect(scopes({ roles: ['cn=x'] }, rules)).toEqual(['y']);
    expect(scopes({ scope: 'api://app/ops api://app/files' }, rules)).toEqual(['files', 'mcp:admin', 'mcp:tools']);
    expect(scopes({ scope: 'api://app/' }, rules), 'a prefix without anything').toEqual(['api://app/']);
  });

  it('CWE-863 with a map, a value that others choose is no scope by its name alone', () => {
    const rules = { scopeMap: [readScopeMapping('prod=mcp:tools')], scopeClaims: ['scope', 'environment'] };
    expect(scopes({ environment: 'mcp:admin' }, rules)).toEqual([]);
    expect(scopes({ environment: 'x mcp:admin' }, rules)).toEqual([]);
    expect(scopes({ environment: 'not prod' }, rules), 'a name with a space').toEqual([]);
    expect(scopes({ environment: 'prod' }, rules)).toEqual(['mcp:tools']);
    expect(scopes({ scope: 'mcp:admin' }, rules), 'granted as a scope').toEqual(['mcp:admin']);
    const byScp = { ...rules, scopeClaims: ['scp'] };
    expect(scopes({ scp: ['mcp:admin'] }, byScp), 'granted as a scope, in a list').toEqual(['mcp:admin']);
  });

  it.each([{ roles: '' }, { roles: [] }, { roles: [''] }, { roles: ' ' }, { roles: null }, { roles: {} }, {}])(
    'CWE-863 a pattern that fits any value grants nothing for %j, which has no value',
    (claims) => {
      const rules = { scopeMap: [readScopeMapping('*=mcp:tools')], scopeClaims: ['roles'] };
      expect(scopes(claims, rules)).toEqual([]);
      expect(scopes({ roles: 'any' }, rules)).toEqual(['mcp:tools']);
    },
  );

  it('CWE-863 a member of an object that is false or null is no scope', () => {
    const roles = { reader: true, writer: { org: 'x' }, admin: false, owner: null };
    expect(scopes({ roles }, { scopeClaims: ['roles'] })).toEqual(['reader', 'writer']);
  });

  it('the text of any claim has spaces between two values, and half of a surrogate pair is in no scope', () => {
    expect(scopes({ roles: 'a  b \ud800' }, { scopeClaims: ['roles'] })).toEqual(['a', 'b']);
  });

  it.each([
    ['a*b', 'ab', true],
    ['a*b', 'axb', true],
    ['aa*aa', 'aaa', false],
    ['a*', 'b', false],
    ['a.c', 'abc', false],
  ])('the pattern %s for the value %s fits: %s', (pattern, value, fits) => {
    expect(scopes({ roles: [value] }, { scopeMap: [{ theirs: pattern, ours: 'x' }], scopeClaims: ['roles'] })).toEqual(
      fits ? ['x'] : [],
    );
  });
});

describe('whose token it is', () => {
  it('a subject is the first claim that is present, and a machine may be its client (RFC 9068 §2.2)', () => {
    const rules = { subjectClaims: ['uid', 'sub', 'client_id'] };
    expect(principal({ uid: 'u1' }, rules).subject).toBe('u1');
    expect(principal({}, rules).subject).toBe('ada');
    expect(principal({ sub: undefined }, rules)).toMatchObject({ subject: 'desk', clientId: 'desk' });
    expect(refusal({ sub: undefined })).toMatchObject({ reason: 'missing_claim', setting: 'TOKEN_SUBJECT_CLAIMS' });
    expect(refusal({ uid: 5 }, rules), 'a present claim decides').toMatchObject({ claim: 'uid', found: 5 });
  });

  it('a client is the first claim that is present, or nobody where the issuer names none', () => {
    expect(principal({ client_id: undefined, azp: 'web' }).clientId).toBe('web');
    expect(principal({ client_id: 'desk' }, { clientClaims: [] }).clientId).toBeUndefined();
    const without = { client_id: undefined };
    expect(refusal(without)).toMatchObject({
      reason: 'missing_claim',
      setting: 'TOKEN_CLIENT_CLAIMS',
      claim: 'client_id',
    });
  });

  it.each(['\ud800', '', 5, null, {}, ['ada']])('CWE-176 a subject that is %j names nobody', (sub) => {
    expect(refusal({ sub })).toMatchObject({ reason: 'missing_claim', claim: 'sub' });
  });
});

describe('until when a token is valid', () => {
  it.each([Number.POSITIVE_INFINITY, 1e300, 1_790_000_000_000, 253_402_300_800, undefined])(
    'RFC 7519 §4.1.4 a token is refused whose exp is %s: no time in seconds',
    (exp) => {
      expect(refusal({ exp })).toMatchObject({ reason: 'missing_claim', claim: 'exp', expected: 'a time in seconds' });
    },
  );
});

describe('the key that a token is bound to', () => {
  it('RFC 9449 §6.1 only jkt is known: a token that is bound in two ways is refused, because one would not be checked', () => {
    expect(principal({ cnf: { jkt: 'x' } }).keyThumbprint).toBe('x');
    for (const cnf of [{ jkt: 'x', 'x5t#S256': 'y' }, { 'x5t#S256': 'y' }, { jwk: {} }, {}])
      expect(refusal({ cnf })).toMatchObject({ reason: 'sender_constrained', claim: 'cnf' });
  });
});

describe('for whom a token is', () => {
  it.each([
    [AUD, undefined],
    [['other', AUD], undefined],
    ['other', 'wrong_audience'],
    [[], 'wrong_audience'],
    ['', 'wrong_audience'],
    [5, 'wrong_audience'],
    [[[AUD]], 'wrong_audience'],
    [undefined, 'no_audience'],
    [null, 'no_audience'],
  ])('RFC 9068 §4 the audience %j is refused for: %s', (aud, reason) => {
    expect(refusal({ aud })?.reason).toBe(reason);
  });

  it('RFC 8707 §2 another claim stands for the audience only if it is named, and only in a token without one', () => {
    const rules = { audienceClaim: readClaimRule('client_id=desk|web') };
    expect(refusal({ aud: undefined }, rules)).toBeUndefined();
    expect(refusal({ aud: undefined, client_id: 'other' }, rules)).toMatchObject({
      reason: 'wrong_audience',
      claim: 'client_id',
      found: 'other',
      setting: 'AUDIENCE_CLAIM',
    });
    expect(refusal({ aud: 'other' }, rules)?.reason).toBe('wrong_audience');
    const byScope = { audienceClaim: readClaimRule('scope=https://mcp/access') };
    expect(refusal({ aud: undefined, scope: 'x https://mcp/access' }, byScope)).toBeUndefined();
    expect(refusal({ aud: undefined, scope: 'https://mcp/access2' }, byScope)?.reason).toBe('wrong_audience');
    const byScp = { audienceClaim: readClaimRule('scp=https://mcp/access') };
    for (const scp of ['x https://mcp/access', ['x', 'https://mcp/access']])
      expect(refusal({ aud: undefined, scp }, byScp)).toBeUndefined();
  });

  it('a required claim must have one of its values, each of which is compared whole', () => {
    const requiredClaims = ['hd=example.com|example.org', 'app.tier=1'].map(readClaimRule);
    const good = { hd: 'example.org', app: { tier: 1 } };
    expect(refusal(good, { requiredClaims })).toBeUndefined();
    for (const hd of ['evil example.org', 'example.org ', 'EXAMPLE.ORG', '', undefined, { 'example.org': true }]) {
      const found = refusal({ ...good, hd }, { requiredClaims });
      expect(found).toMatchObject({ reason: 'wrong_claim', claim: 'hd', setting: 'TOKEN_REQUIRED_CLAIMS' });
    }
    expect(refusal({ hd: 'example.org' }, { requiredClaims })).toMatchObject({ claim: 'app.tier', found: 'nothing' });
  });

  it.each(['at_hash', 'c_hash', 'events'])(
    'OpenID Connect Core §3.1.3.6 a token of no type of its own with %s is no access token',
    (claim) => {
      expect(refusal({ [claim]: 'x' }, {}, false)).toMatchObject({ reason: 'not_an_access_token', claim });
      expect(refusal({ [claim]: 'x' }, {}, true)).toBeUndefined();
    },
  );
});
