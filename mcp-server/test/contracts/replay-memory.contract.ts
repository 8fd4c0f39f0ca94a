/**
 * Owns the contract of every replay memory (RFC 9449 §11.1): of many uses on any replica one is the first, until the
 * entry expires.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { ReplayMemory } from '../../src/authorization/dpop/replay-memory.ts';

export interface ReplayMemoryUnderTest {
  /** Another replica with the same memory. */
  replica(): ReplayMemory;
  pass(milliseconds: number): Promise<void>;
}

export function replayMemoryContract(name: string, open: () => Promise<ReplayMemoryUnderTest>): void {
  describe(`RFC 9449 §11.1 ${name}: memory of used proofs`, () => {
    let memory: ReplayMemoryUnderTest;
    beforeEach(async () => {
      memory = await open();
    });

    it('a used proof is known at every replica', async () => {
      expect(await memory.replica().firstUse('a', 60_000)).toBe(true);
      expect(await memory.replica().firstUse('a', 60_000)).toBe(false);
      expect(await memory.replica().firstUse('a', 60_000)).toBe(false);
      expect(await memory.replica().firstUse('b', 60_000)).toBe(true);
    });

    it('exactly one of many concurrent uses is the first', async () => {
      const uses = await Promise.all(Array.from({ length: 50 }, () => memory.replica().firstUse('a', 60_000)));
      expect(uses.filter(Boolean)).toHaveLength(1);
    });

    it('a used proof is forgotten after its time, at most a millisecond late and never early', async () => {
      await memory.replica().firstUse('short', 3_000.5);
      await memory.replica().firstUse('long', 60_000);
      expect(await memory.replica().firstUse('short', 1)).toBe(false);
      await memory.pass(3_001);
      expect(await memory.replica().firstUse('short', 60_000)).toBe(true);
      expect(await memory.replica().firstUse('long', 60_000)).toBe(false);
    });
  });
}
