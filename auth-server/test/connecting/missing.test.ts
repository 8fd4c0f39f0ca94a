/** Proves when an account of a person is connected as far as tools need it, and what is asked for at the upstream. */
import { describe, expect, it } from 'vitest';
import { firstMissing, isLacking, scopesToAsk } from '../../src/connecting/missing.ts';
import type { ShownConnection } from '../../src/vault/connections/connections.ts';

const connection = (scopes: readonly string[], hasEnded = false): ShownConnection => ({
  connector: 'github',
  account: {},
  scopes,
  clients: [],
  connectedAt: 0,
  hasEnded,
});

describe('an account that tools need', () => {
  it.each([
    ['not connected', undefined, ['repo'], true],
    ['connected with all that is needed', connection(['repo', 'gist']), ['repo'], false],
    ['connected with fewer scopes', connection(['gist']), ['repo', 'gist'], true],
    ['connected, and nothing more is needed', connection([]), [], false],
    ['ended by the upstream', connection(['repo'], true), ['repo'], true],
  ])('the account counts as missing or not when it is %s', (_, now, scopes, missing) => {
    expect(isLacking(now, scopes)).toBe(missing);
  });

  it('the first of several that is missing is found, in their order', async () => {
    const connections = {
      find: async ({ connector }: { connector: string }) => (connector === 'one' ? connection(['a']) : undefined),
    };
    const needed = ['one', 'two', 'three'].map((connector) => ({ connector, scopes: ['a'] }));
    expect((await firstMissing('alice', needed, connections))?.connector).toBe('two');
    expect(await firstMissing('alice', needed.slice(0, 1), connections)).toBeUndefined();
  });

  it.each([
    ['nothing is connected', undefined, ['repo']],
    ['the upstream has ended what was connected', connection(['gist'], true), ['repo']],
    ['more is needed', connection(['gist']), ['gist', 'repo']],
    ['the operator has taken a scope away', connection(['gist', 'admin']), ['gist', 'repo']],
    ['the same is connected', connection(['repo']), ['repo']],
  ])('the upstream is asked for what is needed and what is still offered of now, when %s', (_, now, asked) => {
    expect(scopesToAsk({ scopes: ['repo', 'gist'] }, ['repo'], now)).toEqual(asked);
  });
});
