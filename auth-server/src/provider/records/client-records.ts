/**
 * Owns the records of registered clients (RFC 7591): remembered from their last use on, and kept in memory for a moment, as
 * every request asks for its client.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { JsonObject, RecordStore } from '../../storage/record-store.ts';

const KIND = 'Client';
/** Seconds. So long another replica may still know a client that was changed or removed. */
const FRESH = 5;
const MAX_FRESH = 1_000;

export interface ClientRecords {
  find(id: string): Promise<JsonObject | undefined>;
  put(id: string, client: JsonObject): Promise<void>;
  remove(id: string): Promise<void>;
  /** Sees to it that a client lives for at least so many seconds; one that is not in the store is none of its business. */
  keep(id: string, atLeast: number): Promise<void>;
}

export interface ClientRecordsOptions {
  /** Seconds that a registered client is remembered after its last use. */
  readonly clientLifetime: number;
  /** Known besides those that registered themselves, and before them. */
  readonly preRegistered: PreRegisteredClients;
}

export function createClientRecords(
  store: RecordStore,
  clock: Clock,
  { clientLifetime: lifetime, preRegistered }: ClientRecordsOptions,
): ClientRecords {
  const fresh = new Map<string, { readonly client: JsonObject; readonly until: number }>();
  const forget = (id: string) => fresh.delete(id);

  function remember(id: string, client: JsonObject): void {
    // A map keeps its order, so the first is the oldest.
    const [oldest] = fresh.keys();
    if (fresh.size >= MAX_FRESH && oldest !== undefined) forget(oldest);
    forget(id);
    fresh.set(id, { client, until: seconds(clock) + FRESH });
  }

  return {
    find: async (id) => {
      // The id of a client that publishes its metadata, which is never stored here.
      if (id.startsWith('https://')) return undefined;
      const known = fresh.get(id);
      if (known && known.until > seconds(clock)) return known.client;
      forget(id);
      const [listed, record] = await Promise.all([
        preRegistered.find(id),
        store.get(KIND, id),
        store.touch(KIND, id, lifetime),
      ]);
      const client = listed ?? record?.value;
      if (client) remember(id, client);
      return client;
    },
    put: async (id, client) => {
      forget(id);
      await store.put(KIND, id, client, { ttl: lifetime });
    },
    remove: async (id) => {
      forget(id);
      await store.delete(KIND, id);
    },
    keep: (id, atLeast) => store.touch(KIND, id, Math.max(atLeast, lifetime)),
  };
}
