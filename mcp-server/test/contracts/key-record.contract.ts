/** Owns the contract of every key record: one text for all replicas, and a compare-and-set for changes. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyRecord } from '../../src/keys/sealing-keys.ts';

/** @param open returns the same empty record to any number of replicas */
export function keyRecordContract(name: string, open: () => Promise<() => KeyRecord>): void {
  describe(`${name}: key record`, () => {
    let replica: () => KeyRecord;
    beforeEach(async () => {
      replica = await open();
    });

    it('the key record is empty at first', async () => {
      expect(await replica().read()).toBeUndefined();
    });

    it('the key record written by one replica is read by all', async () => {
      expect(await replica().replace(undefined, 'first "ring"')).toBe(true);
      expect(await replica().read()).toBe('first "ring"');
      expect(await replica().replace('first "ring"', 'second')).toBe(true);
      expect(await replica().read()).toBe('second');
    });

    it('the key record changes only if the expected value is stored', async () => {
      expect(await replica().replace('never', 'x')).toBe(false);
      await replica().replace(undefined, 'first');
      expect(await replica().replace(undefined, 'x')).toBe(false);
      expect(await replica().replace('other', 'x')).toBe(false);
      expect(await replica().read()).toBe('first');
    });

    it('exactly one of many concurrent writers of the key record succeeds', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => replica().replace(undefined, `ring ${n}`)));
      expect(all.filter(Boolean)).toHaveLength(1);
      expect(await replica().read()).toBe(`ring ${all.indexOf(true)}`);
    });
  });
}
