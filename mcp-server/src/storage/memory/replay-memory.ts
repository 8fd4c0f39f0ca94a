/** Owns the memory of used DPoP proofs of a server that is its only replica (RFC 9449 §11.1). */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { ReplayMemory } from '../../authorization/dpop/replay-memory.ts';

/** More than one processor can check while they are fresh; then it is better to refuse than to forget. */
const CAPACITY = 1_000_000;

export function memoryReplayMemory(clock: Clock, capacity = CAPACITY): ReplayMemory {
  /** When each may be forgotten; in the order of their use, which is nearly that of their ends. */
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
