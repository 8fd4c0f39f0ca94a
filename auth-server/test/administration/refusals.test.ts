/** Proves that the refusals of the last hour are shared by replicas, and that strangers can fill neither the store nor the list. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { createRecentRefusals } from '../../src/administration/refusals.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const person = { what: 'person', event: 'sign-in.refused', reason: 'no rule allows this person' } as const;
const request = { what: 'request', event: 'authorization.refused', reason: 'unknown client' } as const;

function open(given: { store?: RecordStore; pause?: () => Promise<unknown> } = {}) {
  const clock = new FakeClock();
  const store = given.store ?? createSqliteStore(':memory:', clock);
  const lost: number[] = [];
  const replica = () =>
    createRecentRefusals({
      store,
      clock,
      pause: given.pause ?? (async () => {}),
      onLost: (count) => lost.push(count),
    });
  return { clock, store, lost, replica };
}

describe('the refusals of the last hour', () => {
  it('every replica shows the refusals of all, newest first, with rule and reference', async () => {
    const { clock, replica } = open();
    const [one, other] = [replica(), replica()];
    one.note({ ...person, reason: 'denied by email:bob@example.com', reference: 'first', connector: 'acme' });
    clock.advance(1);
    other.note({ ...request, reference: 'second', client: 'c1' });
    await Promise.all([one.settled(), other.settled()]);
    for (const replica of [one, other]) {
      expect(await replica.recent()).toMatchObject([
        { reference: 'second', what: 'request', client: 'c1' },
        { reference: 'first', reason: 'denied by email:bob@example.com', connector: 'acme' },
      ]);
    }
  });

  it('a refused person is shown once, although the request is refused as well', async () => {
    const { replica } = open();
    const refusals = replica();
    refusals.note({ ...request, reference: 'same' });
    refusals.note({ ...person, reference: 'same' });
    refusals.note({ ...request, reference: 'same' });
    await refusals.settled();
    expect(await refusals.recent()).toMatchObject([{ what: 'person', reference: 'same' }]);
  });

  it('a refusal is forgotten after an hour', async () => {
    const { clock, replica } = open();
    const refusals = replica();
    refusals.note(person);
    await refusals.settled();
    clock.advance(3_601);
    expect(await refusals.recent()).toEqual([]);
  });

  it('ten thousand refused requests of a stranger leave a hundred of them, and every refused person', async () => {
    const { clock, replica } = open();
    const refusals = replica();
    refusals.note({ ...person, reference: 'alice' });
    for (let index = 0; index < 10_000; index += 1) refusals.note({ ...request, reference: `r${index}` });
    await refusals.settled();
    clock.advance(1);
    const recent = await refusals.recent();
    expect(recent).toHaveLength(101);
    expect(recent.some(({ reference }) => reference === 'alice')).toBe(true);
  });

  it('refusals that come during a write and its pause are one write', async () => {
    const inner = createSqliteStore(':memory:', new FakeClock());
    let writes = 0;
    const store: RecordStore = {
      ...inner,
      replace: (...args) => {
        writes += 1;
        return inner.replace(...args);
      },
      putIfAbsent: (...args) => {
        writes += 1;
        return inner.putIfAbsent(...args);
      },
    };
    let goOn = () => {};
    const waits: Promise<void>[] = [];
    const pause = () => {
      const wait = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      waits.push(wait);
      return wait;
    };
    const { replica } = open({ store, pause });
    const refusals = replica();
    refusals.note(person);
    while (waits.length < 1) await new Promise(setImmediate);
    for (let index = 0; index < 1_000; index += 1) refusals.note(request);
    expect(writes).toBe(1);
    goOn();
    while (waits.length < 2) await new Promise(setImmediate);
    expect(writes).toBe(2);
    goOn();
    await refusals.settled();
  });

  it('long, invisible and multi-line values of others are shortened to one line', async () => {
    const { replica } = open();
    const refusals = replica();
    refusals.note({ ...request, reason: `a\nb\u202e${'x'.repeat(10_000)}`, client: '\u200b', reference: '\ud83d' });
    await refusals.settled();
    const [shown] = await refusals.recent();
    expect(shown?.reason.length).toBeLessThanOrEqual(300);
    expect(shown?.reason).toMatch(/^a b x/);
    expect(shown).not.toHaveProperty('client');
  });

  it('a store that fails loses the refusals and counts them, and the next one is stored again', async () => {
    const inner = createSqliteStore(':memory:', new FakeClock());
    let isDown = true;
    const store: RecordStore = {
      ...inner,
      get: (...args) => (isDown ? Promise.reject(new Error('down')) : inner.get(...args)),
    };
    const { replica, lost } = open({ store });
    const refusals = replica();
    refusals.note(person);
    await refusals.settled();
    expect(lost).toEqual([1]);
    isDown = false;
    refusals.note({ ...person, reference: 'later' });
    await refusals.settled();
    expect(await refusals.recent()).toMatchObject([{ reference: 'later' }]);
  });
});
