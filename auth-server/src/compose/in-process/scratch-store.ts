/**
 * Owns a store for a command that must change nothing: it reads the records of another store, and keeps every change in the memory
 * of this process. Each record is copied at its first use, so that all guarantees are those of the store in memory.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { RecordStore } from '../../storage/record-store.ts';
import { createSqliteStore } from '../../storage/sqlite.ts';

/** Seconds that a copy lasts: longer than any command. A store does not tell how long a record lasts. */
const LIFETIME = 3_600;

/** @param base is only read, and is closed with this store */
export function createScratchStore(base: RecordStore, clock: Clock): RecordStore {
  const scratch = createSqliteStore(':memory:', clock);
  const copies = new Map<string, Promise<void>>();

  async function copy(kind: string, id: string): Promise<void> {
    const record = await base.get(kind, id);
    if (!record) return;
    await scratch.put(kind, id, record.value, { ttl: LIFETIME });
    if (record.consumedAt !== undefined) await scratch.consume(kind, id);
  }
  /** The store in memory, with the record that is used next. */
  async function holding(kind: string, id: string): Promise<RecordStore> {
    const key = JSON.stringify([kind, id]);
    if (!copies.has(key)) copies.set(key, copy(kind, id));
    await copies.get(key);
    return scratch;
  }

  return {
    put: async (kind, id, value, options) => (await holding(kind, id)).put(kind, id, value, options),
    putIfAbsent: async (kind, id, value, options) => (await holding(kind, id)).putIfAbsent(kind, id, value, options),
    replace: async (kind, id, replacement) => (await holding(kind, id)).replace(kind, id, replacement),
    get: async (kind, id) => (await holding(kind, id)).get(kind, id),
    // The record is not copied, because its id is unknown.
    getByAlias: async (kind, alias) => (await scratch.getByAlias(kind, alias)) ?? base.getByAlias(kind, alias),
    take: async (kind, id) => (await holding(kind, id)).take(kind, id),
    consume: async (kind, id) => (await holding(kind, id)).consume(kind, id),
    touch: async (kind, id, ttl) => (await holding(kind, id)).touch(kind, id, ttl),
    delete: async (kind, id) => (await holding(kind, id)).delete(kind, id),
    close: async () => {
      await scratch.close();
      await base.close();
    },
  };
}
