/** Proves that only existing clients are cached in memory, and only for a short time (RFC 7591). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ClientCache, createClientCache, rememberClients } from '../../../src/provider/overrides/client-cache.ts';

const FRESH = 5;
const BOUND = 1_000;

let clock: FakeClock;
let cache: ClientCache;
/** The clients that the engine finds, and the ids that it looked up. */
let registered: Map<string, object>;
let asked: string[];
let find: (id: string) => Promise<object | undefined>;
beforeEach(() => {
  clock = new FakeClock();
  registered = new Map();
  asked = [];
  const model = {
    find: async (id: string) => {
      asked.push(id);
      return registered.get(id);
    },
  };
  cache = createClientCache(clock);
  rememberClients({ Client: model } as never, cache);
  find = (id) => model.find(id);
});

describe('the client cache', () => {
  it('a client is read once within the cache time, then again', async () => {
    registered.set('a', { name: 'A' });
    await find('a');
    clock.advance(FRESH - 1);
    expect(await find('a')).toEqual({ name: 'A' });
    expect(asked).toEqual(['a']);
    clock.advance(1);
    registered.delete('a');
    expect(await find('a')).toBeUndefined();
  });

  it('a changed client is read again at once', async () => {
    registered.set('a', { name: 'A' });
    await find('a');
    registered.set('a', { name: 'B' });
    cache.forget('a');
    expect(await find('a')).toEqual({ name: 'B' });
  });

  it('an unknown client is looked up each time, because another replica may have registered it', async () => {
    expect(await find('a')).toBeUndefined();
    registered.set('a', { name: 'A' });
    expect(await find('a')).toEqual({ name: 'A' });
  });

  it('the cache is bounded, and the oldest client is evicted first', async () => {
    for (let number = 0; number <= BOUND; number += 1) {
      registered.set(`${number}`, {});
      await find(`${number}`);
    }
    asked = [];
    await find(`${BOUND}`);
    await find('1');
    expect(asked).toEqual([]);
    await find('0');
    expect(asked).toEqual(['0']);
  });
});
