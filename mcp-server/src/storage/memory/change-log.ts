/** Owns the numbers of changes in one process: the `ChangeLog` of a server without Redis. */
import type { ChangeLog } from '../../sessions/ports.ts';

/** More would be a server whose resources change without end; who was away reads the newest. */
const MOST = 10_000;

export function createMemoryChangeLog(): ChangeLog {
  const latest = new Map<string, number>();
  let version = 0;
  return {
    record: async (change) => {
      version += 1;
      latest.delete(change);
      latest.set(change, version);
      const [oldest] = latest.size > MOST ? latest.keys() : [];
      if (oldest !== undefined) latest.delete(oldest);
      return version;
    },
    since: async (seen) => ({
      version,
      changes: [...latest].filter(([, at]) => at > seen).map(([change, at]) => ({ change, version: at })),
    }),
  };
}
