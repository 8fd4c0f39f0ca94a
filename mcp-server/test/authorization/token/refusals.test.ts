/** Proves that every reason for which a token is refused is explained, in the log and in docs/token-refusals.md. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mendOf, REFUSALS, refusalsTable } from '../../../src/authorization/token/refusals.ts';
import type { TokenReason } from '../../../src/authorization/token-error.ts';
import { settings } from '../../../src/config.ts';

const source = readFileSync(new URL('../../../src/authorization/token-error.ts', import.meta.url), 'utf8');
const [, union = ''] = /type TokenReason =([\s\S]*?);/.exec(source) ?? [];
const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, name]) => name as TokenReason);
const names = new Set(Object.values<{ env: string }>(settings).map(({ env }) => env));

describe('the reasons of refused tokens', () => {
  it('each reason has one row, which says what it means and what can be changed', () => {
    expect(reasons.length).toBeGreaterThan(15);
    expect(Object.keys(REFUSALS).sort()).toEqual([...reasons].sort());
    for (const reason of reasons) {
      const { meaning, there, here } = REFUSALS[reason];
      expect(meaning, reason).not.toBe('');
      expect(there + here, reason).not.toBe('');
      expect(refusalsTable(), reason).toContain(`| \`${reason}\` |`);
    }
  });

  it('the settings in a mend exist', () => {
    const text = Object.values(REFUSALS).map(({ here }) => here);
    for (const [, name = ''] of text.join(' ').matchAll(/`([A-Z]+(?:_[A-Z]+)+)/g)) expect(names, name).toContain(name);
  });

  it.each<TokenReason>(['malformed', 'expired', 'bad_signature'])(
    'the log repeats no mend for %s, which strangers and healthy clients cause',
    (reason) => expect(mendOf(reason, undefined)).toBeUndefined(),
  );
});
