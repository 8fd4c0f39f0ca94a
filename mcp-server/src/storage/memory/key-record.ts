/** Owns the ring of sealing keys of a server with a single replica: it lasts as long as the process. */
import type { KeyRecord } from '../../keys/sealing-keys.ts';

export function memoryKeyRecord(): KeyRecord {
  let kept: string | undefined;
  return {
    read: async () => kept,
    replace: async (before, after) => {
      if (kept !== before) return false;
      kept = after;
      return true;
    },
  };
}
