/** Proves which `scope` parameters are accepted, and which scopes they result in (RFC 6749 §3.3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResources } from '../../src/resources/resource.ts';
import { resources as setting } from '../../src/resources/resource-setting.ts';
import { effectiveScope, namesOf, resourceScopes } from '../../src/resources/scope.ts';
import { upstreamScopeOf } from '../../src/resources/upstream-scope.ts';

const resource = createResources(setting().parse('https://mcp.example.com')).default;
const own = new Set(['openid', 'offline_access']);

describe('RFC 6749 §3.3 scope', () => {
  it.each([
    ['nothing: the default', undefined, 'mcp:tools'],
    ['an empty one: the default', '', 'mcp:tools'],
    ['nothing but blanks: the default', '  ', 'mcp:tools'],
    ['a known one', 'mcp:admin', 'mcp:admin'],
    ['known ones, in their order', 'mcp:admin mcp:tools', 'mcp:admin mcp:tools'],
    ['only our own: the default beside them', 'openid', 'openid mcp:tools'],
    ['our own and what other servers have: the default', 'openid profile email', 'openid mcp:tools'],
    ['known and unknown ones: the known', 'claudeai mcp:admin constructor', 'mcp:admin'],
    ['only unknown ones: nothing is left', 'claudeai', ''],
    ['names that every object has: nothing is left', 'constructor __proto__', ''],
    ['one twice', 'mcp:tools mcp:tools', 'mcp:tools'],
    ['blanks around', ' mcp:tools  offline_access ', 'mcp:tools offline_access'],
  ])('the effective scope of a request for %s', (_, asked, effective) => {
    expect(effectiveScope(asked, resource, { own })).toBe(effective);
  });

  it.each([
    ['within', 'mcp:tools mcp:admin', 'mcp:tools', 'mcp:tools'],
    ['beyond: nothing is left', 'mcp:admin', 'mcp:tools', ''],
    ['nothing: the default as far as it goes', undefined, 'mcp:tools mcp:admin', 'mcp:tools'],
    ['nothing where the default is beyond: all that may be', undefined, 'mcp:admin', 'mcp:admin'],
    ['nothing where the bound has no scope of this resource', undefined, 'other', ''],
    ['a request for our own scopes, which are not limited', 'openid mcp:admin', 'mcp:tools', 'openid mcp:tools'],
  ])('§3.3 a client with a scope limit asks %s', (_, asked, bound, effective) => {
    expect(effectiveScope(asked, resource, { own, bound })).toBe(effective);
  });

  it.each([
    ['gets it', 'mcp:tools upstream:github', true, undefined, 'mcp:tools upstream:github'],
    ['gets it alone', 'upstream:github', true, undefined, 'upstream:github'],
    ['does not get another one', 'mcp:tools upstream:gitlab', true, undefined, 'mcp:tools'],
    ['gets nothing for another one alone', 'upstream:gitlab', true, undefined, ''],
    ['does not get it without asking', undefined, true, undefined, 'mcp:tools'],
    ['does not get it beyond its limit', 'mcp:tools upstream:github', true, 'mcp:tools', 'mcp:tools'],
    ['gets it within its limit', 'upstream:github', true, 'upstream:github', 'upstream:github'],
    ['does not get it where no person is asked', 'mcp:tools upstream:github', false, undefined, 'mcp:tools'],
  ])('§3.3 a client that asks for an account at an upstream %s', (_, asked, hasPerson, bound, effective) => {
    const upstreamsOf = () => [upstreamScopeOf({ id: 'github', title: 'GitHub', scopes: ['repo'] })];
    const connecting = createResources(setting().parse('https://mcp.example.com'), undefined, { upstreamsOf });
    expect(effectiveScope(asked, connecting.default, { own, bound, hasPerson })).toBe(effective);
    expect(connecting.scopes()).not.toContain('upstream:github');
  });

  const names = ['openid', 'mcp:tools', 'mcp:admin', 'claudeai', '', 'toString'];
  it('the effective scope is never wider than the known scopes, whatever is requested', () => {
    const name = fc.constantFrom<string>(...names);
    fc.assert(
      fc.property(fc.array(name), fc.option(fc.array(name), { nil: undefined }), (asked, bound) => {
        const granted = effectiveScope(asked.join(' '), resource, { own, bound: bound?.join(' ') });
        for (const one of namesOf(granted)) {
          expect(own.has(one) || (Object.hasOwn(resource.scopes, one) && (bound?.includes(one) ?? true))).toBe(true);
        }
        expect(resourceScopes(granted, resource).every((one) => granted.split(' ').includes(one))).toBe(true);
      }),
    );
  });
});
