/** Proves that the transient map and set keep what a Map and a Set keep, and that deleted values are collected soon. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TransientMap, TransientSet } from '../../src/collections/transient.ts';

const keys = fc.integer({ min: 0, max: 9 });
const step = fc.record({ act: fc.constantFrom('set', 'set', 'delete', 'clear'), key: keys });

describe('a transient map', () => {
  it('has the same entries in the same order as a Map', () => {
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const [own, known] = [new TransientMap<number, { n: number }>(), new Map<number, { n: number }>()];
        for (const [n, { act, key }] of steps.entries()) {
          if (act === 'set') {
            own.set(key, { n });
            known.set(key, { n });
          } else if (act === 'delete') expect(own.delete(key)).toBe(known.delete(key));
          else for (const map of [own, known]) map.clear();
          expect([...own]).toEqual([...known]);
          expect([...own.values()]).toEqual([...known.values()]);
          expect([own.size, own.has(key), own.get(key)]).toEqual([known.size, known.has(key), known.get(key)]);
        }
      }),
    );
  });
});

describe('a transient set', () => {
  it('has the objects that were added and have not left', () => {
    const set = new TransientSet<{ n: number }>();
    const [one, two, three] = [{ n: 1 }, { n: 2 }, { n: 3 }];
    const leave = [one, two, three].map((value) => set.add(value));
    leave[1]?.();
    leave[1]?.();
    expect([...set]).toEqual([one, three]);
    expect(set.size).toBe(2);
  });

  it('can lose objects while it is read', () => {
    const set = new TransientSet<{ leave?: () => void }>();
    for (const value of [{}, {}, {}] as { leave?: () => void }[]) value.leave = set.add(value);
    for (const { leave } of set) leave?.();
    expect(set.size).toBe(0);
  });
});

const MODULE = fileURLToPath(new URL('../../src/collections/transient.ts', import.meta.url));

/** @returns growth of the heap in MiB after 20,000 values of 1.6 KiB were added and removed; at most 50 are in the collection at once */
function kept(collection: string): number {
  const program = `
    import { TransientMap, TransientSet } from ${JSON.stringify(MODULE)};
    const { add, leave } = ${collection};
    const value = () => ({ content: new Array(200).fill(0) });
    // Its table is in the old generation from now on.
    const first = add(value());
    gc(), gc();
    leave(first);
    const before = process.memoryUsage().heapUsed;
    const waiting = [];
    for (let n = 0; n < 20_000; n += 1) {
      waiting.push(add(value()));
      if (waiting.length > 50) leave(waiting.shift());
    }
    gc({ type: 'minor' }), gc({ type: 'minor' });
    console.log((process.memoryUsage().heapUsed - before) / 2 ** 20);`;
  // A full collection in between would free everything.
  const flags = ['--expose-gc', '--max-semi-space-size=16', '--min-semi-space-size=16', '--initial-old-space-size=256'];
  const { stdout } = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', program], {
    encoding: 'utf8',
  });
  return Number.parseFloat(stdout);
}

describe('the collector of the young generation', () => {
  it('frees the values that were deleted from a transient map, and not those of a plain one', () => {
    const access = '{ add: (v) => (map.set(next, v), next++), leave: (n) => map.delete(n) }';
    const of = (type: string) => `(() => { let next = 0; const map = new ${type}(); return ${access}; })()`;
    expect(kept(of('TransientMap'))).toBeLessThan(4);
    expect(kept(of('Map'))).toBeGreaterThan(8);
  });

  it('frees the objects that have left a transient set, and not those of a plain one', () => {
    const own = '(() => { const set = new TransientSet(); return { add: (v) => set.add(v), leave: (go) => go() }; })()';
    const plain =
      '(() => { const set = new Set(); return { add: (v) => (set.add(v), v), leave: (v) => set.delete(v) }; })()';
    expect(kept(own)).toBeLessThan(4);
    expect(kept(plain)).toBeGreaterThan(8);
  });
});
