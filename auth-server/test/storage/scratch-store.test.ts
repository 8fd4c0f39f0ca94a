/** Proves that a scratch store keeps the contract of the record store, and never changes the store that it reads. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createScratchStore } from '../../src/compose/in-process/scratch-store.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { recordStoreContract } from '../contracts/record-store.contract.ts';

let kept: RecordStore | undefined;
recordStoreContract('a scratch store', {
  open: async (clock) => {
    kept ??= createScratchStore(createSqliteStore(':memory:', clock), clock);
    return { ...kept, close: async () => {} };
  },
  clean: async () => {
    await kept?.close();
    kept = undefined;
  },
});

describe('a scratch store on a store with records', () => {
  const ttl = 100;

  it('the records are read, and every change stays in the scratch store', async () => {
    const clock = new FakeClock();
    const base = createSqliteStore(':memory:', clock);
    const names = ['put', 'replaced', 'taken', 'consumed', 'touched', 'deleted', 'aliased'];
    for (const id of names)
      await base.put('Client', id, { id }, { ttl, alias: id === 'aliased' ? 'other' : undefined });
    const scratch = createScratchStore(base, clock);
    expect(await scratch.getByAlias('Client', 'other')).toEqual({ value: { id: 'aliased' } });
    await scratch.put('Client', 'put', { id: 'new' }, { ttl });
    await scratch.putIfAbsent('Client', 'added', {}, { ttl });
    expect(await scratch.putIfAbsent('Client', 'touched', {}, { ttl })).toBe(false);
    expect(await scratch.replace('Client', 'replaced', { before: { id: 'replaced' }, after: {} })).toBe(true);
    expect(await scratch.take('Client', 'taken')).toEqual({ value: { id: 'taken' } });
    expect(await scratch.consume('Client', 'consumed')).toBe(true);
    await scratch.touch('Client', 'touched', 10 * ttl);
    await scratch.delete('Client', 'deleted');
    const both = async (id: string) => [await scratch.get('Client', id), await base.get('Client', id)];
    expect(await both('put')).toEqual([{ value: { id: 'new' } }, { value: { id: 'put' } }]);
    expect(await both('added')).toEqual([{ value: {} }, undefined]);
    expect(await both('replaced')).toEqual([{ value: {} }, { value: { id: 'replaced' } }]);
    expect(await both('taken')).toEqual([undefined, { value: { id: 'taken' } }]);
    expect(await both('deleted')).toEqual([undefined, { value: { id: 'deleted' } }]);
    expect((await base.get('Client', 'consumed'))?.consumedAt).toBeUndefined();
    clock.advance(ttl + 1);
    expect(await both('touched')).toEqual([{ value: { id: 'touched' } }, undefined]);
  });

  it('RFC 6749 §4.1.2 a consumed record is consumed in the scratch store too', async () => {
    const clock = new FakeClock();
    const base = createSqliteStore(':memory:', clock);
    await base.put('AuthorizationCode', 'a', {}, { ttl });
    await base.consume('AuthorizationCode', 'a');
    expect(await createScratchStore(base, clock).consume('AuthorizationCode', 'a')).toBe(false);
  });
});
