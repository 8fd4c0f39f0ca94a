/** Owns the numbers of changes in one process: the `ChangeLog` of a server without Redis. */
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import type { ChangeLog } from '../../sessions/ports.ts';

/** Maximum number of changes that are kept. A client that has missed more gets the most recent ones. */
const MOST = 10_000;

export function createMemoryChangeLog(): ChangeLog {
  const latest = new BoundedMap<string, number>(MOST);
  let version = 0;
  return {
    record: async (change) => {
      version += 1;
      latest.set(change, version);
      return version;
    },
    since: async (seen) => ({
      version,
      changes: [...latest].filter(([, at]) => at > seen).map(([change, at]) => ({ change, version: at })),
    }),
  };
}
