/** Proves that replicas share a ring of sealing keys, which rotates every day (MCP 2026-07-28 basic/patterns/mrtr). */
import { randomBytes } from 'node:crypto';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { configuredKeys, type KeyRecord, sharedKeys } from '../../src/keys/sealing-keys.ts';
import { memoryKeyRecord } from '../../src/storage/memory/key-record.ts';

const HOUR = 3_600;

/** Replicas over one record, which can be disconnected. */
function replicas(count: number) {
  const clock = new FakeClock();
  const record = memoryKeyRecord();
  const state = { away: false };
  const cut: KeyRecord = {
    read: async () => (state.away ? Promise.reject(new Error('away')) : record.read()),
    replace: async (before, after) => (state.away ? Promise.reject(new Error('away')) : record.replace(before, after)),
  };
  return { clock, state, all: Array.from({ length: count }, () => sharedKeys(cut, clock)) };
}

describe('sealing keys shared by replicas', () => {
  it('replicas that start together have the same key', async () => {
    const { all } = replicas(10);
    const ids = await Promise.all(all.map(async (keys) => (await keys.current()).id));
    expect(new Set(ids).size).toBe(1);
  });

  it('the key rotates once a day for all replicas, and the previous one still opens', async () => {
    const { clock, all } = replicas(3);
    const [first, second] = all;
    const yesterday = await first?.current();
    await second?.current();
    clock.advance(24 * HOUR);
    const ids = await Promise.all(all.map(async (keys) => (await keys.current()).id));
    expect(new Set(ids).size).toBe(1);
    expect(ids).not.toContain(yesterday?.id);
    for (const keys of all) expect(await keys.find(yesterday?.id ?? '')).toEqual(yesterday);
    clock.advance(24 * HOUR);
    for (const keys of all) await keys.current();
    for (const keys of all) expect(await keys.find(yesterday?.id ?? '')).toBeUndefined();
  });

  it('a new key is found at once by a replica that has not seen it', async () => {
    const { clock, all } = replicas(2);
    const [first, second] = all;
    await second?.current();
    clock.advance(24 * HOUR);
    const newest = await first?.current();
    expect(await second?.find(newest?.id ?? '')).toEqual(newest);
  });

  it('known keys work while their record is away, and unknown ones fail', async () => {
    const { clock, state, all } = replicas(2);
    const [first, second] = all;
    const known = await first?.current();
    state.away = true;
    clock.advance(48 * HOUR);
    expect(await first?.current()).toEqual(known);
    expect(await first?.find(known?.id ?? '')).toEqual(known);
    await expect(second?.current()).rejects.toThrow('away');
    await expect(first?.find('unknown')).rejects.toThrow('away');
  });
});

describe('sealing keys from the configuration', () => {
  it('configured keys seal with the first and open with all', async () => {
    const [old, young] = [randomBytes(32), randomBytes(32)];
    const before = configuredKeys([old]);
    const after = configuredKeys([young, old]);
    const { id } = await before.current();
    expect((await after.current()).secret).toEqual(young);
    expect((await after.find(id))?.secret).toEqual(old);
    expect(await before.find((await after.current()).id)).toBeUndefined();
  });
});
