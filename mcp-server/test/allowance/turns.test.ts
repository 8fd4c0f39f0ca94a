/** Proves that requests which the store answered at the same time continue one after the other. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stride, Turns } from '../../src/allowance/turns.ts';

describe('requests that waited for the store', () => {
  it('requests that waited for the store continue eight in each turn of the event loop, in order', async () => {
    const turns = new Turns();
    const gone: number[] = [];
    const go = async (n: number) => {
      await turns.wait();
      gone.push(n);
    };
    const all = Promise.all(Array.from({ length: 20 }, (_, n) => go(n)));
    await Promise.resolve();
    expect(gone).toHaveLength(8);
    await setImmediate();
    expect(gone).toHaveLength(16);
    await all;
    expect(gone).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('a few requests continue without waiting', async () => {
    const turns = new Turns();
    for (let turn = 0; turn < 3; turn += 1) {
      for (let n = 0; n < 8; n += 1) expect(turns.wait()).toBeUndefined();
      await setImmediate();
    }
  });
});

describe('a call that sends many messages', () => {
  it('a call gives way after sixteen short messages, or after fewer long ones', async () => {
    const given: string[] = [];
    const turns = { wait: () => void given.push('way') } as unknown as Turns;
    const stride = new Stride(turns);
    for (let n = 0; n < 15; n += 1) await stride.wait(10);
    expect(given).toEqual([]);
    await stride.wait(10);
    expect(given).toEqual(['way']);
    await stride.wait(16_384);
    expect(given).toEqual(['way', 'way']);
  });
});
