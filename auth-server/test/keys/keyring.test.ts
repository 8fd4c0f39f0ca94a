/** Proves the life cycle of a key: published before it signs, and published until its last token has expired. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activeEntry,
  isSuccessorDue,
  type Keyring,
  type KeyringEntry,
  maintained,
  newKeyring,
  nextChange,
  pendingEntry,
  publishedKeys,
  stateOf,
  withEarlierStart,
  withoutKey,
  withSuccessor,
} from '../../src/keys/keyring.ts';
import type { Algorithm, SigningKey } from '../../src/keys/signing-key.ts';
import { policy } from '../support/opened-keys.ts';

const key = (kid: string, alg: Algorithm = 'ES256') => ({ kid, alg, use: 'sig', kty: 'EC' }) as SigningKey;
const entry = (kid: string, createdAt: number, signsFrom = createdAt + policy.lead): KeyringEntry => ({
  key: key(kid),
  createdAt,
  signsFrom,
});
const kids = (ring: Keyring, now: number) => publishedKeys(ring, now).map(({ kid }) => kid);

describe('RFC 9068 §4 the life of a signing key', () => {
  const first = newKeyring(key('a'), 0);

  it('the first key signs at once, and stays active while there is no other', () => {
    expect(kids(first, 0)).toEqual(['a']);
    expect(kids(first, 1e9)).toEqual(['a']);
    expect(nextChange(first, 0)).toBeUndefined();
  });

  it('a successor is published before it signs, and the old key until its last token has expired', () => {
    const ring = withSuccessor(first, entry('b', 500), policy);
    expect([kids(ring, 500), kids(ring, 599)]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    expect(nextChange(ring, 500)).toBe(600);
    expect([kids(ring, 600), kids(ring, 1_699)]).toEqual([
      ['b', 'a'],
      ['b', 'a'],
    ]);
    expect(nextChange(ring, 600)).toBe(1_700);
    expect(kids(ring, 1_700)).toEqual(['b']);
    expect(maintained(ring, policy, 1_700)).toEqual([entry('b', 500)]);
  });

  it('each key has a state: pending, active or retiring', () => {
    const ring = withSuccessor(first, entry('b', 500), policy);
    const states = (now: number) => ring.map((one) => `${one.key.kid} ${stateOf(one, ring, now)}`);
    expect(states(599)).toEqual(['b pending', 'a active']);
    expect(states(600)).toEqual(['b active', 'a retiring']);
  });

  it('a successor is due one lead time before the key is old, and never where rotation is off', () => {
    const due = (change: object, now: number, ring: Keyring = first) =>
      isSuccessorDue(ring, { ...policy, ...change }, now);
    expect([due({}, 9_899), due({}, 9_900)]).toEqual([false, true]);
    expect([due({ rotation: 0 }, 1e9), due({ rotation: 0, algorithm: 'EdDSA' }, 0)]).toEqual([false, true]);
  });

  it('a successor is never due while one is pending, whatever the settings say', () => {
    const ring = withSuccessor(first, entry('b', 0), policy);
    expect(isSuccessorDue(ring, { ...policy, algorithm: 'RS256' }, 99)).toBe(false);
    expect(isSuccessorDue(ring, { ...policy, algorithm: 'RS256' }, 100)).toBe(true);
  });

  it('the removal of a pending key leaves the active key without an end', () => {
    const ring = withSuccessor(first, entry('b', 500), policy);
    expect(maintained(withoutKey(ring, 'b') ?? ring, policy, 500)).toEqual(first);
    expect(withoutKey(first, 'a')).toBeUndefined();
  });

  it("a pending key that starts sooner does not shorten the old key's publication", () => {
    const ring = withSuccessor(first, entry('b', 500), policy);
    const pending = pendingEntry(ring, 500);
    const sooner = pending ? withEarlierStart(ring, pending, 520) : ring;
    expect([kids(sooner, 519), kids(sooner, 520), kids(sooner, 1_699)]).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['b', 'a'],
    ]);
  });

  it('a longer token lifetime while a successor is pending keeps the old key published longer', () => {
    const ring = withSuccessor(first, entry('b', 500), policy);
    const longer = { ...policy, tokenLifetime: 5_000 };
    expect(kids(maintained(ring, longer, 599), 5_699)).toEqual(['b', 'a']);
    expect(kids(maintained(ring, { ...policy, tokenLifetime: 1 }, 599), 1_699)).toEqual(['b', 'a']);
    expect(maintained(ring, longer, 600)).toEqual(ring);
  });

  it('a keyring has an active key although the clock is behind all keys', () => {
    expect(activeEntry(newKeyring(key('a'), 100), 50).key.kid).toBe('a');
  });

  it('for any durations a key is published a lead time before it signs, and until its last token has expired', () => {
    const lengths = fc.record({
      lead: fc.integer({ min: 1, max: 50 }),
      tokenLifetime: fc.integer({ min: 1, max: 200 }),
      extra: fc.integer({ min: 0, max: 300 }),
      lateness: fc.infiniteStream(fc.integer({ min: 1, max: 20 })),
    });
    fc.assert(
      fc.property(lengths, ({ lead, tokenLifetime, extra, lateness }) => {
        const lived = { ...policy, lead, tokenLifetime, rotation: lead + tokenLifetime + extra };
        const published = new Map<string, { from: number; until: number }>();
        const signed = new Map<string, { from: number; until: number }>();
        let ring = newKeyring(key('0'), 0);
        let count = 0;
        let step = 0;
        for (let now = 0; now < 1_500; now += 1) {
          if (now === step) {
            ring = maintained(ring, lived, now);
            if (isSuccessorDue(ring, lived, now)) {
              count += 1;
              ring = withSuccessor(ring, { ...entry(String(count), now), signsFrom: now + lead }, lived);
            }
            step = now + (lateness.next().value ?? 1);
          }
          const [signing, ...others] = kids(ring, now);
          for (const kid of [signing, ...others]) {
            published.set(String(kid), { from: published.get(String(kid))?.from ?? now, until: now });
          }
          signed.set(String(signing), { from: signed.get(String(signing))?.from ?? now, until: now });
          expect(ring.length).toBeLessThanOrEqual(3);
        }
        expect(count).toBeGreaterThan(0);
        for (const [kid, { from, until }] of signed) {
          const { from: known, until: gone } = published.get(kid) ?? { from: 0, until: 0 };
          if (kid !== '0') expect(from - known).toBeGreaterThanOrEqual(lead);
          if (gone < 1_499) expect(gone - until).toBeGreaterThanOrEqual(tokenLifetime + lead);
        }
      }),
      { numRuns: 50 },
    );
  });
});
