/** Owns what every key record must promise: one text for all, and a change only where nobody else was faster. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { KeyRecord } from '../../src/keys/sealing-keys.ts';

/** @param open gives the same empty record to any number of replicas */
export function keyRecordContract(name: string, open: () => Promise<() => KeyRecord>): void {
  describe(`${name}: key record`, () => {
    let replica: () => KeyRecord;
    beforeEach(async () => {
      replica = await open();
    });

    it('is empty at first', async () => {
      expect(await replica().read()).toBeUndefined();
    });

    it('is read by all as one has written it', async () => {
      expect(await replica().replace(undefined, 'first "ring"')).toBe(true);
      expect(await replica().read()).toBe('first "ring"');
      expect(await replica().replace('first "ring"', 'second')).toBe(true);
      expect(await replica().read()).toBe('second');
    });

    it('changes only from what stands there', async () => {
      expect(await replica().replace('never', 'x')).toBe(false);
      await replica().replace(undefined, 'first');
      expect(await replica().replace(undefined, 'x')).toBe(false);
      expect(await replica().replace('other', 'x')).toBe(false);
      expect(await replica().read()).toBe('first');
    });

    it('lets one of many win', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, (_, n) => replica().replace(undefined, `ring ${n}`)));
      expect(all.filter(Boolean)).toHaveLength(1);
      expect(await replica().read()).toBe(`ring ${all.indexOf(true)}`);
    });
  });
}
