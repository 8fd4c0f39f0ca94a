/** Owns the records of registered clients (RFC 7591): remembered from their last use on. */
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { JsonObject, RecordStore } from '../../storage/record-store.ts';
import type { ClientCache } from '../overrides/client-cache.ts';

const KIND = 'Client';

export interface ClientRecords {
  find(id: string): Promise<JsonObject | undefined>;
  put(id: string, client: JsonObject): Promise<void>;
  /**
   * Writes only where the client still is as it was: one that was removed meanwhile must not come back.
   * @param atLeast seconds that it has to live, for the grants that use it
   */
  replace(id: string, client: JsonObject, atLeast: number): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Sees to it that a client lives for at least so many seconds; one that is not in the store is none of its business. */
  keep(id: string, atLeast: number): Promise<void>;
}

export interface ClientRecordsOptions {
  /** Seconds that a registered client is remembered after its last use. */
  readonly clientLifetime: number;
  /** Known besides those that registered themselves, and before them. */
  readonly preRegistered: PreRegisteredClients;
  /** Forgets what is changed here. */
  readonly cache: Pick<ClientCache, 'forget'>;
}

export function createClientRecords(
  store: RecordStore,
  { clientLifetime: lifetime, preRegistered, cache }: ClientRecordsOptions,
): ClientRecords {
  return {
    find: async (id) => {
      // The id of a client that publishes its metadata, which is never stored here.
      if (id.startsWith('https://')) return undefined;
      const [listed, record] = await Promise.all([
        preRegistered.find(id),
        store.get(KIND, id),
        store.touch(KIND, id, lifetime),
      ]);
      return listed ?? record?.value;
    },
    put: async (id, client) => {
      cache.forget(id);
      await store.put(KIND, id, client, { ttl: lifetime });
    },
    replace: async (id, after, atLeast) => {
      const before = (await store.get(KIND, id))?.value;
      const ttl = Math.max(atLeast, lifetime);
      const done = before !== undefined && (await store.replace(KIND, id, { before, after, ttl }));
      cache.forget(id);
      return done;
    },
    remove: async (id) => {
      cache.forget(id);
      await store.delete(KIND, id);
    },
    keep: (id, atLeast) => store.touch(KIND, id, Math.max(atLeast, lifetime)),
  };
}
