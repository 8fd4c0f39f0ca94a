/**
 * Owns the records of registered clients (RFC 7591). Anybody may register, so a client that nobody has approved is remembered for a
 * day only; one that somebody has approved from the last use of an approval on.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { JsonObject, RecordStore } from '../../storage/record-store.ts';
import { UNAPPROVED } from '../lifetimes.ts';
import type { ClientCache } from '../overrides/client-cache.ts';

const KIND = 'Client';

export interface ClientRecords {
  find(id: string): Promise<JsonObject | undefined>;
  /** @param hasWord whether the operator vouches for it by an initial access token */
  put(id: string, client: JsonObject, hasWord?: boolean): Promise<void>;
  /** Writes only where the client still is as it was: one that was removed meanwhile must not come back. It lives as long as before. */
  replace(id: string, client: JsonObject): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** An approval is given (with seconds that it may last) or used; a client that is not in the store is none of its business. */
  keep(id: string, atLeast?: number): Promise<void>;
}

export interface ClientRecordsOptions {
  /** Seconds that a registered client is remembered after the last use of an approval. */
  readonly clientLifetime: number;
  /** Known besides those that registered themselves, and before them. */
  readonly preRegistered: PreRegisteredClients;
  /** Forgets what is changed here. */
  readonly cache: Pick<ClientCache, 'forget'>;
  readonly clock: Clock;
}

/** A day after it registered, in seconds since the epoch. */
const endOfDay = ({ client_id_issued_at: issued }: JsonObject): number =>
  typeof issued === 'number' ? issued + UNAPPROVED : Number.POSITIVE_INFINITY;

export function createClientRecords(
  store: RecordStore,
  { clientLifetime: lifetime, preRegistered, cache, clock }: ClientRecordsOptions,
): ClientRecords {
  return {
    find: async (id) => {
      // The id of a client that publishes its metadata, which is never stored here.
      if (id.startsWith('https://')) return undefined;
      const [listed, record] = await Promise.all([preRegistered.find(id), store.get(KIND, id)]);
      // A shorter lifetime begins anew with each use, but never beyond the day.
      if (record && lifetime < UNAPPROVED) {
        const left = Math.min(lifetime, endOfDay(record.value) - seconds(clock));
        if (left > 0) await store.touch(KIND, id, left);
      }
      return listed ?? record?.value;
    },
    put: async (id, client, hasWord = false) => {
      cache.forget(id);
      await store.put(KIND, id, client, { ttl: hasWord ? lifetime : Math.min(UNAPPROVED, lifetime) });
    },
    replace: async (id, after) => {
      const before = (await store.get(KIND, id))?.value;
      const done = before !== undefined && (await store.replace(KIND, id, { before, after }));
      cache.forget(id);
      return done;
    },
    remove: async (id) => {
      cache.forget(id);
      await store.delete(KIND, id);
    },
    keep: (id, atLeast = 0) => store.touch(KIND, id, Math.max(atLeast, lifetime)),
  };
}
