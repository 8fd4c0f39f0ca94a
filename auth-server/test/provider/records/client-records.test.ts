/** Owns the proof that a client is kept in memory for a moment only, and only a client that there is (RFC 7591). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ClientRecords, createClientRecords } from '../../../src/provider/records/client-records.ts';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';

const FRESH = 5;
const BOUND = 1_000;
const LIFETIME = 60;

let clock: FakeClock;
let store: RecordStore;
/** Ids that were asked for at the store. */
let asked: string[];
let here: ClientRecords;
let elsewhere: ClientRecords;
beforeEach(() => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  asked = [];
  const watched: RecordStore = {
    ...store,
    get: (kind, id) => {
      asked.push(id);
      return store.get(kind, id);
    },
  };
  const options = { clientLifetime: LIFETIME, preRegistered: { find: async () => undefined, has: () => false } };
  here = createClientRecords(watched, clock, options);
  elsewhere = createClientRecords(store, clock, options);
});

describe('registered clients', () => {
  it('are read once in a moment, then anew', async () => {
    await here.put('a', { name: 'A' });
    await here.find('a');
    clock.advance(FRESH - 1);
    expect(await here.find('a')).toEqual({ name: 'A' });
    expect(asked).toEqual(['a']);
    clock.advance(1);
    await here.find('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are at once as they were changed here, and within the moment as another replica changed them', async () => {
    await here.put('a', { name: 'A' });
    await here.find('a');
    await here.put('a', { name: 'B' });
    expect(await here.find('a')).toEqual({ name: 'B' });
    await elsewhere.remove('a');
    clock.advance(FRESH);
    expect(await here.find('a')).toBeUndefined();
    await here.put('b', {});
    await here.find('b');
    await here.remove('b');
    expect(await here.find('b')).toBeUndefined();
  });

  it('that are not there are asked for each time: another replica may have registered them', async () => {
    expect(await here.find('a')).toBeUndefined();
    await elsewhere.put('a', { name: 'A' });
    expect(await here.find('a')).toEqual({ name: 'A' });
  });

  it('fill the memory up to a bound, and the oldest leaves first', async () => {
    for (let number = 0; number <= BOUND; number += 1) {
      await here.put(`${number}`, {});
      await here.find(`${number}`);
    }
    asked = [];
    await here.find(`${BOUND}`);
    await here.find('1');
    expect(asked).toEqual([]);
    await here.find('0');
    expect(asked).toEqual(['0']);
  });

  it('live on from their last use, and as long as a grant needs them', async () => {
    for (const id of ['used', 'granted', 'unused']) await here.put(id, {});
    await here.keep('granted', LIFETIME * 3);
    clock.advance(LIFETIME - 1);
    await here.find('used');
    await here.find('granted');
    clock.advance(LIFETIME - 1);
    const found = await Promise.all(['used', 'granted', 'unused'].map((id) => elsewhere.find(id)));
    expect(found).toEqual([{}, {}, undefined]);
    clock.advance(LIFETIME);
    expect(await elsewhere.find('granted')).toEqual({});
  });
});
