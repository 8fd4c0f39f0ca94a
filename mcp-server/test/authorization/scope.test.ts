/** Owns the algebra of scopes: what a message needs, and that stepping up never costs a client what it holds. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScopePolicy } from '../../src/authorization/scope.ts';

const policy = createScopePolicy('base', [
  { name: 'plain', scope: undefined },
  { name: 'admin', scope: 'admin' },
  { name: 'write', scope: 'write' },
]);
const call = (name: unknown) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });

describe('what a message needs', () => {
  it.each([
    ['no message', undefined, ['base']],
    ['another method', { method: 'tools/list' }, ['base']],
    ['a plain tool', call('plain'), ['base']],
    ['a tool with a scope', call('admin'), ['base', 'admin']],
    ['a tool that is not there', call('nothing'), ['base']],
    ['a name of Object.prototype', call('constructor'), ['base']],
    ['a name that is no text', call({ toString: 'admin' }), ['base']],
    ['a call without params', { method: 'tools/call', params: null }, ['base']],
    ['the name in another method', { method: 'prompts/get', params: { name: 'admin' } }, ['base']],
    ['a batch', [call('admin'), null, 1, call('write')], ['base', 'admin', 'write']],
    ['an empty batch', [], ['base']],
  ])('%s', (_, message, scopes) => {
    expect([...policy.required(message)]).toEqual(scopes);
  });

  it('is nothing without a base scope', () => {
    expect([...createScopePolicy(undefined, []).required({ method: 'ping' })]).toEqual([]);
    expect(createScopePolicy(undefined, []).initial).toEqual([]);
  });
});

describe('MCP scope challenges', () => {
  const scopes = fc.uniqueArray(
    fc.constantFrom<string[]>('base', 'admin', 'write', 'foreign', 'openid', 'offline_access'),
  );
  const messages = fc.array(fc.constantFrom('plain', 'admin', 'write').map(call));

  it('ask for all that is needed and all that is held and known, and for nothing else', () => {
    fc.assert(
      fc.property(scopes, messages, (held, message) => {
        const required = policy.required(message);
        const wanted = policy.stepUp(new Set(held), required);
        const missing = [...required].filter((scope) => !held.includes(scope));
        expect(wanted === undefined).toBe(missing.length === 0);
        if (!wanted) return;
        const known = held.filter((scope) => policy.supported.includes(scope));
        expect(new Set(wanted)).toEqual(new Set([...required, ...known]));
      }),
    );
  });

  it('RFC 9728 §2 list what is known, sorted, and never the scopes of the sign-in', () => {
    const odd = createScopePolicy('base', [{ name: 'odd', scope: 'offline_access' }]);
    expect(policy.supported).toEqual(['admin', 'base', 'write']);
    expect(odd.supported).toEqual(['base']);
  });
});
