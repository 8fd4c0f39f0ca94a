/** Owns the memory of used DPoP proofs of a server with a single replica (RFC 9449 §11.1). */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { ReplayMemory } from '../../authorization/dpop/replay-memory.ts';

/**
 * More proofs than one processor can check while they are valid. When it is full, proofs are refused: forgetting
 * one would allow a replay.
 */
const CAPACITY = 1_000_000;

export function memoryReplayMemory(clock: Clock, capacity = CAPACITY): ReplayMemory {
  /** Expiry of each entry; in order of use, which is nearly the order of expiry. */
  const ends = new Map<string, number>();
  const forgetOld = (now: number): void => {
    for (const [id, end] of ends) {
      if (end > now) return;
      ends.delete(id);
    }
  };
  return {
    firstUse: async (id, ttl) => {
      const now = clock.now();
      forgetOld(now);
      if ((ends.get(id) ?? 0) > now) return false;
      if (ends.size >= capacity) throw new Error('the memory of used proofs is full');
      ends.delete(id);
      ends.set(id, now + ttl);
      return true;
    },
  };
}
