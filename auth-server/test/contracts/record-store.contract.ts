/** Owns what every backend of the record store must promise; each backend's test calls it with its own way to open one. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject, RecordStore } from '../../src/storage/record-store.ts';

const ROUNDS = 50;
const RACERS = 4;

export interface StoreUnderTest {
  /** Opens the same data each time it is called within one test. */
  open(clock: FakeClock): Promise<RecordStore>;
  /** Lets time go by for a backend that keeps its own; the clock has moved already. */
  pass?(seconds: number): Promise<void>;
  /** After each test. */
  clean(): Promise<void>;
}

export function recordStoreContract(name: string, { open, clean, pass }: StoreUnderTest): void {
  describe(`record store on ${name}`, () => {
    let clock: FakeClock;
    let store: RecordStore;
    let other: RecordStore;

    beforeEach(async () => {
      clock = new FakeClock();
      store = await open(clock);
      other = await open(clock);
    });
    afterEach(async () => {
      await Promise.all([store.close(), other.close()]);
      await clean();
    });
    const advance = async (seconds: number): Promise<void> => {
      clock.advance(seconds);
      await pass?.(seconds);
    };
    /** As many at once as there are racers, half of them through a second connection. */
    const race = <T>(run: (store: RecordStore, racer: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: RACERS }, (_, index) => run(index % 2 ? other : store, index)));

    it('gives back what was put, also after it was put again', async () => {
      await store.put('Code', 'a', { text: 'é', list: [], nested: { n: 1 } }, { ttl: 100 });
      expect(await other.get('Code', 'a')).toEqual({ value: { text: 'é', list: [], nested: { n: 1 } } });
      await store.put('Code', 'a', { text: 'new' }, { ttl: 100 });
      expect(await store.get('Code', 'a')).toEqual({ value: { text: 'new' } });
    });

    it('keeps kinds apart and knows nothing of what was never put', async () => {
      await store.put('Code', 'a', {}, { ttl: 100 });
      expect(await store.get('Grant', 'a')).toBeUndefined();
      expect(await store.get('Code', 'constructor')).toBeUndefined();
    });

    it('never returns a record whose lifetime is over', async () => {
      await store.put('Code', 'a', {}, { ttl: 100, alias: 'x' });
      await advance(60);
      expect(await store.get('Code', 'a')).toBeDefined();
      await advance(40);
      expect(await store.get('Code', 'a')).toBeUndefined();
      expect(await store.getByAlias('Code', 'x')).toBeUndefined();
      expect(await store.take('Code', 'a')).toBeUndefined();
      expect(await store.consume('Code', 'a')).toBe(false);
      await store.touch('Code', 'a', 100);
      expect(await store.get('Code', 'a')).toBeUndefined();
    });

    it('lengthens a lifetime with touch, and never shortens it', async () => {
      await store.put('Client', 'a', { n: 1 }, { ttl: 100 });
      await advance(60);
      await store.touch('Client', 'a', 100);
      await store.touch('Client', 'a', 1);
      await advance(60);
      expect(await store.get('Client', 'a')).toEqual({ value: { n: 1 } });
    });

    it('lets exactly one of many take a record', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await store.put('LoginState', `id-${round}`, { round }, { ttl: 100 });
        const taken = await race((racer) => racer.take('LoginState', `id-${round}`));
        expect(taken.filter(Boolean)).toEqual([{ value: { round } }]);
      }
    });

    it('lets exactly one of many consume a record, which remains and says when', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await store.put('AuthorizationCode', `id-${round}`, { round }, { ttl: 100 });
        const won = await race((racer) => racer.consume('AuthorizationCode', `id-${round}`));
        expect(won.filter(Boolean)).toHaveLength(1);
      }
      expect(await other.get('AuthorizationCode', 'id-0')).toEqual({
        value: { round: 0 },
        consumedAt: expect.any(Number),
      });
      expect(await store.consume('AuthorizationCode', 'never-put')).toBe(false);
    });

    it('lets exactly one of many put where nothing stands', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const won = await race((racer) => racer.putIfAbsent('Replay', `id-${round}`, {}, { ttl: 100 }));
        expect(won.filter(Boolean)).toHaveLength(1);
      }
      await advance(100);
      expect(await store.putIfAbsent('Replay', 'id-0', {}, { ttl: 100 })).toBe(true);
    });

    it('lets exactly one of many replace what they all have read', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        for (const kind of ['Keyring', 'Grant']) {
          const id = `id-${round}`;
          await store.put(kind, id, { n: 0, list: [], text: 'é' }, { ttl: 100 });
          const { value: before } = (await store.get(kind, id)) ?? { value: {} };
          const won = await race((one, racer) => one.replace(kind, id, { before, after: { racer }, ttl: 100 }));
          expect(won.filter(Boolean)).toHaveLength(1);
          expect((await other.get(kind, id))?.value).toEqual({ racer: won.indexOf(true) });
        }
      }
    });

    it('replaces nothing that is gone, was never there or is another record by now', async () => {
      const replace = (before: object) =>
        store.replace('Grant', 'a', { before: before as JsonObject, after: { n: 2 }, ttl: 100 });
      expect(await replace({})).toBe(false);
      await store.put('Grant', 'a', { n: 1 }, { ttl: 100 });
      expect(await replace({ n: 3 })).toBe(false);
      expect(await store.get('Grant', 'a')).toEqual({ value: { n: 1 } });
      await advance(100);
      expect(await replace({ n: 1 })).toBe(false);
      expect(await store.get('Grant', 'a')).toBeUndefined();
    });

    it('gives what it replaces a new lifetime', async () => {
      await store.put('Grant', 'a', { n: 1 }, { ttl: 100 });
      expect(await store.replace('Grant', 'a', { before: { n: 1 }, after: { n: 2 }, ttl: 200 })).toBe(true);
      await advance(150);
      expect(await store.get('Grant', 'a')).toEqual({ value: { n: 2 } });
    });

    it('leaves what it replaces its lifetime where none is given', async () => {
      await store.put('Client', 'a', { n: 1 }, { ttl: 100 });
      await advance(60);
      expect(await store.replace('Client', 'a', { before: { n: 1 }, after: { n: 2 } })).toBe(true);
      await advance(30);
      expect(await other.get('Client', 'a')).toEqual({ value: { n: 2 } });
      await advance(10);
      expect(await store.get('Client', 'a')).toBeUndefined();
    });

    it('finds a record by its alias, which moves to the newest record', async () => {
      await store.put('Session', 'old', { n: 1 }, { ttl: 100, alias: 'uid' });
      await store.put('Session', 'new', { n: 2 }, { ttl: 100, alias: 'uid' });
      expect(await store.getByAlias('Session', 'uid')).toEqual({ value: { n: 2 } });
      await store.delete('Session', 'new');
      expect(await store.getByAlias('Session', 'uid')).toBeUndefined();
    });

    it('forgets what was deleted and minds no second delete', async () => {
      await store.put('Grant', 'a', {}, { ttl: 100 });
      await store.delete('Grant', 'a');
      await store.delete('Grant', 'a');
      expect(await store.get('Grant', 'a')).toBeUndefined();
    });

    it('still has everything after a restart', async () => {
      await store.put('RefreshToken', 'a', { n: 1 }, { ttl: 100 });
      await store.consume('RefreshToken', 'a');
      await Promise.all([store.close(), other.close()]);
      store = await open(clock);
      expect(await store.get('RefreshToken', 'a')).toEqual({ value: { n: 1 }, consumedAt: expect.any(Number) });
    });
  });
}
