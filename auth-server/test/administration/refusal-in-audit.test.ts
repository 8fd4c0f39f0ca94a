/** Proves which entries of the audit an operator sees as refusals, and that they say no name. */
import { describe, expect, it } from 'vitest';
import { noting, refusalIn } from '../../src/administration/refusal-in-audit.ts';

const refused = { event: 'sign-in.refused', outcome: 'refused', reason: 'denied by group:x', reference: 'r1' } as const;

describe('a refusal in the audit', () => {
  it('an entry has rule, reference, client and connector, and not the person', () => {
    const entry = { ...refused, who: 'subject', client: 'c1', from: '192.0.2.1', details: { connector: 'acme' } };
    expect(refusalIn(entry)).toEqual({
      what: 'person',
      event: 'sign-in.refused',
      reason: 'denied by group:x',
      reference: 'r1',
      client: 'c1',
      connector: 'acme',
    });
  });

  it.each([
    { ...refused, outcome: 'ok' } as const,
    { event: 'audit.lost', outcome: 'failed', reason: 'the sink is full' } as const,
  ])('an entry $event with the outcome $outcome is no refusal', (entry) => {
    expect(refusalIn(entry)).toBeUndefined();
  });

  it('a failed request without a reason says its outcome', () => {
    const failed = { event: 'page.refused', outcome: 'failed', reference: 'r2' } as const;
    expect(refusalIn(failed)).toMatchObject({ what: 'request', reason: 'failed' });
  });

  it('a refusal is noted besides its entry in the audit', () => {
    const [entries, noted] = [[] as unknown[], [] as unknown[]];
    const audit = noting((entry) => entries.push(entry), { note: (refusal) => noted.push(refusal) });
    audit(refused);
    audit({ ...refused, outcome: 'ok' });
    expect([entries.length, noted.length]).toEqual([2, 1]);
  });
});
