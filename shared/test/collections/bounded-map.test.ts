/** Proves how many entries the bounded map keeps, and which entry it evicts; and that the oldest entry is always found. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgedMap, BoundedMap } from '../../src/collections/bounded-map.ts';

const filled = (capacity: number, ...keys: readonly string[]): BoundedMap<string, number> => {
  const map = new BoundedMap<string, number>(capacity);
  for (const [index, key] of keys.entries()) map.set(key, index);
  return map;
};

describe('a bounded map', () => {
  it('drops the entry that was set longest ago', () => {
    expect([...filled(2, 'a', 'b', 'c').keys()]).toEqual(['b', 'c']);
  });

  it('counts an entry that is set again as the newest', () => {
    expect([...filled(2, 'a', 'b', 'a', 'c')]).toEqual([
      ['a', 2],
      ['c', 3],
    ]);
  });

  it('does not count a reading with get as use', () => {
    const map = filled(2, 'a', 'b');
    expect(map.get('a')).toBe(0);
    expect([...map.set('c', 2).keys()]).toEqual(['b', 'c']);
  });

  it('counts a reading with use as use', () => {
    const map = filled(2, 'a', 'b');
    expect(map.use('a')).toBe(0);
    expect(map.use('x')).toBeUndefined();
    expect([...map.set('c', 2).keys()]).toEqual(['a', 'c']);
  });

  it('never has more entries than its capacity, and always the last one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.integer({ max: 9, min: 0 })), (capacity, keys) => {
        const map = new BoundedMap<number, number>(capacity);
        for (const key of keys) {
          map.set(key, key);
          expect(map.size).toBeLessThanOrEqual(capacity);
          expect(map.get(key)).toBe(key);
        }
        expect(map.size).toBe(Math.min(capacity, new Set(keys).size));
      }),
    );
  });
});

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ act: fc.constant('set'), key: fc.integer({ min: 0, max: 40 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ act: fc.constantFrom('delete', 'again'), key: fc.integer({ min: 0, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('take'), key: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('clear'), key: fc.constant(0) }) },
);

describe('an aged map', () => {
  it('takes out the entries in the order of their insertion, whatever happens in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const [map, plain] = [new AgedMap<number, number>(), new Map<number, number>()];
        for (const [turn, { act, key }] of steps.entries()) {
          for (const one of act === 'delete' || act === 'again' ? [map, plain] : []) one.delete(key);
          for (const one of act === 'set' || act === 'again' ? [map, plain] : []) one.set(key, turn);
          for (const one of act === 'clear' && turn % 50 === 0 ? [map, plain] : []) one.clear();
          if (act !== 'take') continue;
          const [oldest] = plain;
          if (oldest) plain.delete(oldest[0]);
          expect(map.takeOldest()).toEqual(oldest);
        }
        expect([...map]).toEqual([...plain]);
      }),
    );
  });

  it('has no oldest entry while it is empty, and has one again afterwards', () => {
    const map = new AgedMap<string, number>();
    expect(map.takeOldest()).toBeUndefined();
    map.set('a', 1);
    expect(map.takeOldest()).toEqual(['a', 1]);
    expect(map.takeOldest()).toBeUndefined();
    map.set('b', 2);
    expect(map.takeOldest()).toEqual(['b', 2]);
  });
});
