/** Proves how many entries the bounded map keeps, and which entry it evicts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedMap } from '../src/bounded-map.ts';

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
