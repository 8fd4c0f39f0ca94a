/**
 * Owns the contract of every backend of the record store; the test of each backend calls it with a function that opens
 * one.
 */

import type { JsonObject } from '@mcp-oauth/shared/json';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordStore } from '../../src/storage/record-store.ts';

const ROUNDS = 50;
const RACERS = 4;

export interface StoreUnderTest {
  /** Opens the same data each time it is called within one test. */
  open(clock: FakeClock): Promise<RecordStore>;
  /** Advances the clock of a backend that has its own; the test's clock has been advanced already. */
  pass?(seconds: number): Promise<void>;
  /** Called after each test. */
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
    /** Runs concurrent callers, half of them through a second connection. */
    const race = <T>(run: (store: RecordStore, racer: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: RACERS }, (_, index) => run(index % 2 ? other : store, index)));

    it('a record is read back as it was put, also after a second put', async () => {
      await store.put('Code', 'a', { text: 'é', list: [], nested: { n: 1 } }, { ttl: 100 });
      expect(await other.get('Code', 'a')).toEqual({ value: { text: 'é', list: [], nested: { n: 1 } } });
      await store.put('Code', 'a', { text: 'new' }, { ttl: 100 });
      expect(await store.get('Code', 'a')).toEqual({ value: { text: 'new' } });
    });

    it('records of different kinds are separate, and an unknown record is not found', async () => {
      await store.put('Code', 'a', {}, { ttl: 100 });
      expect(await store.get('Grant', 'a')).toBeUndefined();
      expect(await store.get('Code', 'constructor')).toBeUndefined();
    });

    it('a record is never returned after its lifetime', async () => {
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

    it('touch lengthens a lifetime, and never shortens it', async () => {
      await store.put('Client', 'a', { n: 1 }, { ttl: 100 });
      await advance(60);
      await store.touch('Client', 'a', 100);
      await store.touch('Client', 'a', 1);
      await advance(60);
      expect(await store.get('Client', 'a')).toEqual({ value: { n: 1 } });
    });

    it('take succeeds for exactly one of many concurrent callers', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        await store.put('LoginState', `id-${round}`, { round }, { ttl: 100 });
        const taken = await race((racer) => racer.take('LoginState', `id-${round}`));
        expect(taken.filter(Boolean)).toEqual([{ value: { round } }]);
      }
    });

    it('consume succeeds for exactly one of many concurrent callers; the record stays, with the time', async () => {
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

    it('putIfAbsent succeeds for exactly one of many concurrent callers', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const won = await race((racer) => racer.putIfAbsent('Replay', `id-${round}`, {}, { ttl: 100 }));
        expect(won.filter(Boolean)).toHaveLength(1);
      }
      await advance(100);
      expect(await store.putIfAbsent('Replay', 'id-0', {}, { ttl: 100 })).toBe(true);
    });

    it('replace succeeds for exactly one of many callers that read the same record', async () => {
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

    it('replace does nothing to a record that is missing or has changed', async () => {
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

    it('replace sets a new lifetime', async () => {
      await store.put('Grant', 'a', { n: 1 }, { ttl: 100 });
      expect(await store.replace('Grant', 'a', { before: { n: 1 }, after: { n: 2 }, ttl: 200 })).toBe(true);
      await advance(150);
      expect(await store.get('Grant', 'a')).toEqual({ value: { n: 2 } });
    });

    it('replace without a lifetime keeps the old one', async () => {
      await store.put('Client', 'a', { n: 1 }, { ttl: 100 });
      await advance(60);
      expect(await store.replace('Client', 'a', { before: { n: 1 }, after: { n: 2 } })).toBe(true);
      await advance(30);
      expect(await other.get('Client', 'a')).toEqual({ value: { n: 2 } });
      await advance(10);
      expect(await store.get('Client', 'a')).toBeUndefined();
    });

    it('an alias finds the newest record that was put with it', async () => {
      await store.put('Session', 'old', { n: 1 }, { ttl: 100, alias: 'uid' });
      await store.put('Session', 'new', { n: 2 }, { ttl: 100, alias: 'uid' });
      expect(await store.getByAlias('Session', 'uid')).toEqual({ value: { n: 2 } });
      await store.delete('Session', 'new');
      expect(await store.getByAlias('Session', 'uid')).toBeUndefined();
    });

    it('delete removes a record, and a second delete is no error', async () => {
      await store.put('Grant', 'a', {}, { ttl: 100 });
      await store.delete('Grant', 'a');
      await store.delete('Grant', 'a');
      expect(await store.get('Grant', 'a')).toBeUndefined();
    });

    it('every record is still there after a restart', async () => {
      await store.put('RefreshToken', 'a', { n: 1 }, { ttl: 100 });
      await store.consume('RefreshToken', 'a');
      await Promise.all([store.close(), other.close()]);
      store = await open(clock);
      expect(await store.get('RefreshToken', 'a')).toEqual({ value: { n: 1 }, consumedAt: expect.any(Number) });
    });
  });
}
