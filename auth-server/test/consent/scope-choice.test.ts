/** Proves that a person gets no scope that was not asked for, chosen and permitted (RFC 6749 §3.3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PendingInteraction } from '../../src/consent/interaction.ts';
import { narrowed, without } from '../../src/consent/scope-choice.ts';

const NAMES = ['mcp:tools', 'notes:read', 'notes:write', 'mcp:admin'];
const names = fc.uniqueArray(fc.constantFrom(...NAMES));
const sets = names.map((list): ReadonlySet<string> => new Set(list));

const pendingWith = (asked: readonly string[], fixed: ReadonlySet<string>): PendingInteraction => ({
  uid: 'one',
  client: { id: 'client', name: 'App', identity: {} },
  redirectUri: 'https://app.example/callback',
  resource: { identifier: 'https://mcp.example/mcp', name: 'mcp.example' },
  scopes: asked.map((name) => ({ name, description: name, isFixed: fixed.has(name) })),
  accountId: undefined,
});
const namesOf = ({ scopes }: PendingInteraction) => scopes.map(({ name }) => name);

describe('the scopes that are granted', () => {
  it('granted scopes were requested, are fixed or chosen, and are permitted', () => {
    fc.assert(
      fc.property(names, sets, sets, sets, (asked, fixed, chosen, permitted) => {
        const granted = narrowed(pendingWith(asked, fixed), { chosen, permitted });
        const expected = asked.filter((name) => (chosen.has(name) || fixed.has(name)) && permitted.has(name));
        expect(namesOf(granted)).toEqual(expected);
        expect(granted.leftOut).toEqual(asked.filter((name) => !chosen.has(name) && !fixed.has(name)));
      }),
    );
  });

  it('the order of choice and permission does not matter, and neither can be undone by the other', () => {
    fc.assert(
      fc.property(names, sets, sets, sets, (asked, fixed, chosen, permitted) => {
        const pending = pendingWith(asked, fixed);
        const one = narrowed(narrowed(pending, { chosen }), { permitted });
        const other = narrowed(narrowed(pending, { permitted }), { chosen });
        expect(namesOf(one)).toEqual(namesOf(other));
      }),
    );
  });

  it('what was left out before the upstream is left out after it', () => {
    fc.assert(
      fc.property(names, sets, sets, (asked, fixed, chosen) => {
        const pending = pendingWith(asked, fixed);
        const before = narrowed(pending, { chosen });
        expect(without(pending, before.leftOut)).toEqual(before);
      }),
    );
  });
});
