/**
 * Proves which scopes a message needs, and that a step-up never loses scopes that a client already has (MCP
 * basic/authorization).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScopePolicy } from '../../src/authorization/scope.ts';
import { scopeHierarchy } from '../../src/authorization/scope-hierarchy.ts';
import { scopedTools } from '../support/scoped-tools.ts';

const flat = new Map();
const tools = [
  { name: 'plain', scopes: [] },
  { name: 'admin', scopes: ['admin'] },
  { name: 'write', scopes: ['write'] },
  { name: 'both', scopes: ['admin', 'write'] },
];
const more = {
  declared: ['admin', 'write', 'read', 'print'],
  prompt: (name: string) => (name === 'report' ? ['print'] : []),
  resource: (uri: string) => (uri.startsWith('notes:') ? ['read'] : []),
};
const policy = createScopePolicy({ base: 'base', hierarchy: flat, scoped: () => scopedTools(tools, more) });
const call = (name: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });
const complete = (ref: object) => ({ method: 'completion/complete', params: { ref } });

describe('the scopes that a message needs', () => {
  it.each([
    ['no message', undefined, ['base']],
    ['another method', { method: 'tools/list' }, ['base']],
    ['a plain tool', call('plain'), ['base']],
    ['a tool with a scope', call('admin'), ['base', 'admin']],
    ['a tool with two', call('both'), ['base', 'admin', 'write']],
    ['a tool that is not there', call('nothing'), ['base']],
    ['a name of Object.prototype', call('constructor'), ['base']],
    ['a name that is no text', call({ toString: 'admin' }), ['base']],
    ['a call without params', { method: 'tools/call', params: null }, ['base']],
    ['the name of a tool in another method', { method: 'prompts/get', params: { name: 'admin' } }, ['base']],
    ['a prompt', { method: 'prompts/get', params: { name: 'report' } }, ['base', 'print']],
    ['a resource', { method: 'resources/read', params: { uri: 'notes:1' } }, ['base', 'read']],
    ['hearing of a resource', { method: 'resources/subscribe', params: { uri: 'notes:1' } }, ['base', 'read']],
    ['suggestions for a prompt', complete({ type: 'ref/prompt', name: 'report' }), ['base', 'print']],
    ['suggestions for a resource', complete({ type: 'ref/resource', uri: 'notes:{id}' }), ['base', 'read']],
    [
      'hearing of several resources',
      { method: 'subscriptions/listen', params: { notifications: { resourceSubscriptions: [1, 'x:', 'notes:1'] } } },
      ['base', 'read'],
    ],
    ['a batch', [call('admin'), null, 1, call('write')], ['base', 'admin', 'write']],
    ['an empty batch', [], ['base']],
  ])('the required scopes are right for %s', (_, message, scopes) => {
    expect(policy.required(message)).toEqual(scopes);
  });

  it('OpenID Connect Core §3.1.2.1 the base scope openid, without which some issuers refuse, is announced and never lost', () => {
    const tied = createScopePolicy({ base: 'openid', hierarchy: flat, scoped: () => scopedTools(tools) });
    expect(tied.supported()).toContain('openid');
    expect(tied.stepUp(new Set(['openid']), tied.required(call('admin')))).toEqual(['admin', 'openid']);
  });

  it('a message needs no scope where there is no base scope', () => {
    const open = createScopePolicy({ base: undefined, hierarchy: flat, scoped: () => scopedTools([]) });
    expect(open.required({ method: 'ping' })).toEqual([]);
    expect(open.initial).toEqual([]);
  });

  it('the required scopes follow the current catalog', () => {
    let offered = scopedTools([]);
    const live = createScopePolicy({ base: 'base', hierarchy: flat, scoped: () => offered });
    expect([live.required(call('admin')), live.supported()]).toEqual([['base'], ['base']]);
    offered = scopedTools(tools);
    expect([live.required(call('admin')), live.supported()]).toEqual([
      ['base', 'admin'],
      ['admin', 'base', 'write'],
    ]);
  });
});

describe('MCP scope challenges', () => {
  const scopes = fc.uniqueArray(
    fc.constantFrom<string[]>('base', 'admin', 'write', 'foreign', 'openid', 'offline_access'),
  );
  const messages = fc.array(fc.constantFrom('plain', 'admin', 'write', 'both').map(call));

  it('a challenge names all scopes that are needed, and those already held, and no others', () => {
    fc.assert(
      fc.property(scopes, messages, (held, message) => {
        const required = policy.required(message);
        const wanted = policy.stepUp(new Set(held), required);
        const missing = required.filter((scope) => !held.includes(scope));
        expect(wanted === undefined).toBe(missing.length === 0);
        if (!wanted) return;
        const known = held.filter((scope) => policy.supported().includes(scope));
        expect(new Set(wanted)).toEqual(new Set([...required, ...known]));
      }),
    );
  });

  it('RFC 9728 §2 scopes_supported lists the known scopes, sorted, without OpenID scopes', () => {
    const odd = scopedTools([{ name: 'odd', scopes: ['offline_access'] }]);
    expect(policy.supported()).toEqual(['admin', 'base', 'print', 'read', 'write']);
    expect(createScopePolicy({ base: 'base', hierarchy: flat, scoped: () => odd }).supported()).toEqual(['base']);
  });
});

describe('a scope hierarchy', () => {
  const chains = [
    ['root', 'admin', 'write'],
    ['admin', 'base'],
  ];
  const ranked = createScopePolicy({
    base: 'base',
    hierarchy: scopeHierarchy(chains),
    scoped: () => scopedTools(tools),
  });
  const stepUp = (held: string[], name: string) => ranked.stepUp(new Set(held), ranked.required(call(name)));

  it.each([
    [['root'], 'both'],
    [['admin'], 'both'],
    [['admin'], 'plain'],
    [['base', 'write'], 'write'],
  ])('the scopes %j permit a call of %s', (held, name) => {
    expect(stepUp(held, name)).toBeUndefined();
  });

  it.each([
    [['base'], 'both', ['admin', 'base', 'write']],
    [['write'], 'both', ['admin', 'base', 'write']],
    [['write'], 'plain', ['base', 'write']],
    [['foreign'], 'plain', ['base']],
  ])('a caller with %j is asked for what is missing to call %s, and never for a higher scope', (held, name, wanted) => {
    expect(stepUp(held, name)).toEqual(wanted);
  });

  it('a challenge does not ask for scopes that a held scope implies', () => {
    const offered = () => scopedTools([...tools, { name: 'print', scopes: ['print', 'write'] }]);
    const policy = createScopePolicy({ base: 'base', hierarchy: scopeHierarchy(chains), scoped: offered });
    expect(policy.stepUp(new Set(['admin']), policy.required(call('print')))).toEqual(['admin', 'print']);
  });

  it('RFC 9728 §2 scopes_supported includes the higher scopes, so that a client can request them', () => {
    expect(ranked.supported()).toEqual(['admin', 'base', 'root', 'write']);
  });

  it.each([
    [[['a', 'b', 'a']]],
    [
      [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'a'],
      ],
    ],
    [[['a', 'a']]],
  ])('a hierarchy %j in which a scope is above itself is refused', (circular) => {
    expect(() => scopeHierarchy(circular)).toThrow('includes itself');
  });
});
