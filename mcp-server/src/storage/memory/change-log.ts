/** Owns the numbers of changes in one process: the `ChangeLog` of a server without Redis. */
import type { ChangeLog } from '../../sessions/ports.ts';

/** Maximum number of changes that are kept. A client that has missed more gets the most recent ones. */
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
