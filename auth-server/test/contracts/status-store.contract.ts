/** Owns the contract of every backend of the status lists; the test of each backend calls it with a function that opens one. */
import { isMarked, setBit } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIST_SIZE, type StatusStore } from '../../src/revocation/status-store.ts';

export interface StatusStoreUnderTest {
  /** Opens the same data each time it is called within one test. */
  open(clock: FakeClock): Promise<StatusStore>;
  /** Advances the clock of a backend that has its own; the test's clock has been advanced already. */
  pass?(seconds: number): Promise<void>;
  /** Called after each test. */
  clean(): Promise<void>;
}

const LIST = 'abcdefghijklmnopqrstuv';
const OTHER = 'zyxwvutsrqponmlkjihgfe';
const LAST = LIST_SIZE - 1;

const bitsOf = (...indexes: readonly number[]): Uint8Array => {
  const bits = new Uint8Array(LIST_SIZE / 8);
  for (const idx of indexes) setBit(bits, idx);
  return bits;
};

export function statusStoreContract(name: string, { open, clean, pass }: StatusStoreUnderTest): void {
  describe(`status lists on ${name}`, () => {
    let clock: FakeClock;
    let store: StatusStore;
    let other: StatusStore;
    beforeEach(async () => {
      clock = new FakeClock();
      store = await open(clock);
      other = await open(clock);
      await store.create(LIST, bitsOf(7, LAST), 100);
    });
    afterEach(async () => {
      await Promise.all([store.close(), other.close()]);
      await clean();
    });
    const advance = async (seconds: number): Promise<void> => {
      clock.advance(seconds);
      await pass?.(seconds);
    };
    const marked = async (list = LIST): Promise<readonly number[]> => {
      const bits = (await other.marks(list))?.bits ?? new Uint8Array();
      return Array.from({ length: bits.length * 8 }, (_, idx) => idx).filter((idx) => isMarked(bits, idx));
    };

    it('a list that nobody created is unknown, and neither an allocation nor a mark creates it', async () => {
      expect(await store.allocate(OTHER, [1], 100)).toBe('missing');
      await store.mark(OTHER, [1], [2]);
      expect(await store.version(OTHER)).toBeUndefined();
      expect(await store.marks(OTHER)).toBeUndefined();
      expect(await store.isMarked(OTHER, 1)).toBeUndefined();
    });

    it('Token Status List §4.1 one entry is found marked or not without reading the list', async () => {
      await store.mark(LIST, [12], []);
      const found = [0, 7, 8, 12, 13, LAST - 1, LAST].map((idx) => other.isMarked(LIST, idx));
      expect(await Promise.all(found)).toEqual([false, true, false, true, false, false, true]);
    });

    it('the decoys of a new list are taken and marked, and a second creation changes nothing', async () => {
      const version = await store.version(LIST);
      expect(await marked()).toEqual([7, LAST]);
      expect(await store.allocate(LIST, [7, LAST], 100)).toBe('full');
      await other.create(LIST, bitsOf(8), 100);
      expect(await marked()).toEqual([7, LAST]);
      expect(await store.version(LIST)).toBe(version);
      expect((await store.marks(LIST))?.bits.length).toBe(LIST_SIZE / 8);
    });

    it('an entry is taken by exactly one of many concurrent callers', async () => {
      const candidates = Array.from({ length: 30 }, (_, idx) => idx);
      const racers = Array.from({ length: 40 }, (_, n) => (n % 2 ? other : store).allocate(LIST, candidates, 100));
      const got = await Promise.all(racers);
      const taken = got.filter((one) => one !== 'full');
      expect(new Set(taken).size).toBe(taken.length);
      // All but the decoy.
      expect(taken.length).toBe(29);
    });

    it('an allocation marks nothing and keeps the version', async () => {
      const version = await store.version(LIST);
      expect(await store.allocate(LIST, [LAST, 4_096, 5], 100)).toBe(4_096);
      expect(await marked()).toEqual([7, LAST]);
      expect(await other.version(LIST)).toBe(version);
    });

    it('a mark is seen by every process, with a larger version', async () => {
      const version = Number(await other.version(LIST));
      await store.mark(LIST, [0, 65_537], []);
      expect(await marked()).toEqual([0, 7, 65_537, LAST]);
      const next = Number(await other.version(LIST));
      expect(next).toBeGreaterThan(version);
      expect((await other.marks(LIST))?.version).toBe(next);
      await other.mark(LIST, [1], []);
      expect(Number(await store.version(LIST))).toBeGreaterThan(next);
    });

    it('a marked entry is never given to a token, also if it was free before', async () => {
      await store.mark(LIST, [3], []);
      expect(await store.allocate(LIST, [3], 100)).toBe('full');
    });

    it('a mark takes the decoys that are free, and no entry of a token', async () => {
      expect(await store.allocate(LIST, [20], 100)).toBe(20);
      await store.mark(LIST, [10], [20, 7, 30]);
      expect(await marked()).toEqual([7, 10, 30, LAST]);
      expect(await store.allocate(LIST, [30], 100)).toBe('full');
    });

    it('a mark that is repeated changes nothing, and takes no decoys', async () => {
      await store.mark(LIST, [10], []);
      const version = await store.version(LIST);
      await store.mark(LIST, [10], [11]);
      expect(await marked()).toEqual([7, 10, LAST]);
      expect(await store.version(LIST)).toBe(version);
    });

    it('no mark is lost when several processes mark at the same time', async () => {
      const indexes = Array.from({ length: 60 }, (_, n) => 100 + n * 3);
      await Promise.all(indexes.map((idx, n) => (n % 2 ? other : store).mark(LIST, [idx], [idx + 1])));
      expect(await marked()).toEqual([7, ...indexes.flatMap((idx) => [idx, idx + 1]), LAST]);
    });

    it('a list expires, unless an allocation keeps it longer, and is then created anew', async () => {
      await advance(60);
      await store.allocate(LIST, [1], 100);
      await store.allocate(LIST, [2], 1);
      await advance(60);
      expect(await store.version(LIST)).toBeDefined();
      const version = Number(await store.version(LIST));
      await advance(40);
      expect(await store.version(LIST)).toBeUndefined();
      expect(await store.marks(LIST)).toBeUndefined();
      expect(await store.allocate(LIST, [1], 100)).toBe('missing');
      await advance(1);
      await other.create(LIST, bitsOf(), 100);
      expect(await store.allocate(LIST, [1], 100)).toBe(1);
      expect(await marked()).toEqual([]);
      // A reader would take it for unchanged otherwise.
      expect(await store.version(LIST)).not.toBe(version);
    });
  });
}
