/** Proves which entries tokens get, and that a list tells nobody how many tokens there are (Token Status List §12). */
import { randomInt } from 'node:crypto';
import { isMarked } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createStatusLists,
  LIST_ID,
  liveReferences,
  periodFor,
  type StatusListOptions,
  type StatusReference,
} from '../../src/revocation/status-lists.ts';
import { LIST_SIZE, type StatusStore } from '../../src/revocation/status-store.ts';
import { createSqliteStatusStore } from '../../src/storage/status/sqlite.ts';

const HOUR = 3_600;
const LIFETIME = 600;

let clock: FakeClock;
let store: StatusStore;
beforeEach(() => {
  clock = new FakeClock();
  store = createSqliteStatusStore(':memory:', clock);
  return () => store.close();
});

const open = (options: Partial<StatusListOptions> = {}) =>
  createStatusLists({
    store,
    clock,
    random: (below) => randomInt(below),
    issuer: 'https://auth.example',
    secret: 'a secret',
    name: 'access tokens',
    period: HOUR,
    lifetime: LIFETIME,
    ...options,
  });
const now = () => clock.now() / 1000;
const bitsOf = async (list: string) => (await store.marks(list))?.bits ?? new Uint8Array();
const count = (bits: Uint8Array) =>
  Array.from({ length: LIST_SIZE }, (_, idx) => idx).filter((idx) => isMarked(bits, idx)).length;

describe('a status reference', () => {
  it('references of one hour are in one list, and a reference lasts as long as the last token of that hour', async () => {
    clock.advance(1_000);
    const lists = open();
    const [first, second] = [await lists.allocate(), await open().allocate()];
    expect(first).toEqual({ list: second.list, idx: expect.any(Number), until: now() - 1_000 + HOUR + LIFETIME });
    expect(first.idx).not.toBe(second.idx);
    clock.advance(HOUR - 1_000);
    const next = await lists.allocate();
    expect(next.list).not.toBe(first.list);
    expect(next.until).toBe(first.until + HOUR);
  });

  it('Token Status List §12.2 the id of a list tells neither its time nor its kind, and is the same in every process', async () => {
    const { list } = await open().allocate();
    expect(list).toMatch(LIST_ID);
    expect((await open({ name: 'personal tokens' }).allocate()).list).not.toBe(list);
    expect((await open({ secret: 'another secret' }).allocate()).list).not.toBe(list);
    expect(open().uriOf(list)).toBe(`https://auth.example/status/${list}`);
  });

  it('a token gets a kept reference only if that lasts as long as the token', () => {
    const kept = [
      { list: 'a', idx: 1, until: now() + 100 },
      { list: 'b', idx: 2, until: now() + 200 },
    ];
    const { find } = open();
    expect(find(kept, now() + 100)?.list).toBe('a');
    expect(find(kept, now() + 101)?.list).toBe('b');
    expect(find(kept, now() + 201)).toBeUndefined();
    expect(liveReferences(now() + 100, kept, kept)).toEqual([kept[1]]);
  });

  it('a reference from a clock that was a day ahead is not used, because its list is gone long before', async () => {
    const lists = open();
    clock.advance(24 * HOUR);
    const ahead = await lists.allocate();
    clock.advance(-24 * HOUR);
    expect([lists.find([ahead], now() + LIFETIME), lists.isCurrent([ahead])]).toEqual([undefined, false]);
    const next = { ...(await lists.allocate()), until: now() + 2 * HOUR + LIFETIME };
    expect(lists.find([next], now() + LIFETIME), 'of a process that is in the next hour already').toEqual(next);
  });

  it('a list that is full is followed by another one of the same hour', async () => {
    const lists = open();
    const first = await lists.allocate();
    const asked: string[] = [];
    const full: StatusStore = {
      ...store,
      allocate: async (list, candidates, ttl) => {
        asked.push(list);
        return list === first.list ? 'full' : store.allocate(list, candidates, ttl);
      },
    };
    const others = open({ store: full });
    const second = await others.allocate();
    expect(second.list).not.toBe(first.list);
    expect(second.until).toBe(first.until);
    await others.allocate();
    // The process does not ask about the full list again.
    expect(asked.filter((list) => list === first.list)).toHaveLength(3);
  });

  it('a list counts as full only after three tries in a row, so that four of five entries are used', async () => {
    const first = await open().allocate();
    const answers: 'full'[] = [];
    const nearlyFull: StatusStore = {
      ...store,
      allocate: async (...asked) => answers.shift() ?? store.allocate(...asked),
    };
    const lists = open({ store: nearlyFull });
    for (let n = 0; n < 5; n += 1) {
      answers.push('full', 'full');
      expect((await lists.allocate()).list).toBe(first.list);
    }
  });

  it.each([600, HOUR, 6 * HOUR, 24 * HOUR])(
    'tokens that live %d seconds are in at most ten lists at a time, and none of them outlives its list',
    async (lifetime) => {
      const lists = open({ period: periodFor(lifetime), lifetime });
      let live: StatusReference[] = [];
      for (let n = 0; n < 100; n += 1) {
        const reference = await lists.allocate();
        expect(reference.until).toBeGreaterThanOrEqual(now() + lifetime);
        live = liveReferences(now(), live, [reference]);
        expect(new Set(live.map(({ list }) => list)).size).toBeLessThanOrEqual(10);
        clock.advance(1_789);
        for (const { list } of liveReferences(now(), live)) expect(await store.version(list)).toBeDefined();
      }
    },
  );

  it('only the first reference of an hour needs more than one round trip', async () => {
    const lists = open();
    await lists.allocate();
    const create = vi.spyOn(store, 'create');
    const allocate = vi.spyOn(store, 'allocate');
    for (let n = 0; n < 10; n += 1) await lists.allocate();
    expect([create.mock.calls.length, allocate.mock.calls.length]).toEqual([0, 10]);
  });
});

describe('Token Status List §12 what a list tells', () => {
  it('§12.5 a list always has the same length, and from a thousand to four thousand marked decoys', async () => {
    const counts = new Set<number>();
    for (let round = 0; round < 4; round += 1) {
      const { list } = await open().allocate();
      const bits = await bitsOf(list);
      expect(bits.length).toBe(LIST_SIZE / 8);
      expect(count(bits)).toBeGreaterThan(900);
      expect(count(bits)).toBeLessThanOrEqual(4_000);
      counts.add(count(bits));
      clock.advance(HOUR);
    }
    expect(counts.size).toBeGreaterThan(1);
  });

  it('§12.5 a list is the same however many tokens there are', async () => {
    const lists = open();
    const { list } = await lists.allocate();
    const before = Buffer.from(await bitsOf(list));
    for (let n = 0; n < 300; n += 1) await lists.allocate();
    expect(before.equals(await bitsOf(list))).toBe(true);
  });

  it('§12.5 each mark marks from one to three further entries, of which none belongs to a token', async () => {
    const lists = open();
    const references = [];
    for (let n = 0; n < 200; n += 1) references.push(await lists.allocate());
    const [first, ...others] = references;
    if (!first) throw new Error('no reference');
    const before = count(await bitsOf(first.list));
    await lists.mark([first]);
    const bits = await bitsOf(first.list);
    expect(isMarked(bits, first.idx)).toBe(true);
    expect(count(bits) - before).toBeGreaterThanOrEqual(2);
    expect(count(bits) - before).toBeLessThanOrEqual(4);
    expect(others.filter(({ idx }) => isMarked(bits, idx))).toEqual([]);
  });

  it('thousands of references are marked in a few commands, and those of expired tokens in none', async () => {
    const lists = open();
    const { list, until } = await lists.allocate();
    const references = Array.from({ length: 2_500 }, (_, idx) => ({ list, idx, until }));
    const mark = vi.spyOn(store, 'mark');
    await lists.mark([...references, { list: 'expired', idx: 1, until: now() }]);
    expect(mark.mock.calls.map(([, indexes]) => indexes.length)).toEqual([1_000, 1_000, 500]);
    const bits = await bitsOf(list);
    expect(references.every(({ idx }) => isMarked(bits, idx))).toBe(true);
  });
});
