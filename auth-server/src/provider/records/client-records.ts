/**
 * Owns the records of registered clients (RFC 7591). Anybody may register, so a client that nobody has approved is stored for a day
 * only; for an approved client the lifetime starts at the last use of an approval.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { UNAPPROVED } from '../lifetimes.ts';
import type { ClientCache } from '../overrides/client-cache.ts';

/** Kind of the records of registered clients. */
export const KIND = 'Client';

export interface ClientRecords {
  find(id: string): Promise<JsonObject | undefined>;
  /** @param withInitialAccess whether it registered with an initial access token of the operator */
  put(id: string, client: JsonObject, withInitialAccess?: boolean): Promise<void>;
  /** Writes only if the client is unchanged, so that a removed client does not come back. Its expiry stays the same. */
  replace(id: string, client: JsonObject): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** Call when an approval is given (with the seconds that it may last) or used. Does nothing for a client that is not stored. */
  keep(id: string, atLeast?: number): Promise<void>;
}

export interface ClientRecordsOptions {
  /** Seconds that a registered client is stored after the last use of an approval. */
  readonly clientLifetime: number;
  /** Pre-registered clients take precedence over registered ones. */
  readonly preRegistered: PreRegisteredClients;
  /** Changed clients are removed from this cache. */
  readonly cache: Pick<ClientCache, 'forget'>;
  readonly clock: Clock;
}

/** Seconds between two extensions of one client by this process, unless its lifetime is short. */
const EXTENDED_EVERY = 300;
/** Beyond it clients are extended more often. */
const EXTENDED_CLIENTS = 10_000;

/** The end of the day after registration, in seconds since the epoch. */
const endOfDay = ({ client_id_issued_at: issued }: JsonObject): number =>
  typeof issued === 'number' ? issued + UNAPPROVED : Number.POSITIVE_INFINITY;

export function createClientRecords(
  store: RecordStore,
  { clientLifetime: lifetime, preRegistered, cache, clock }: ClientRecordsOptions,
): ClientRecords {
  const every = Math.min(EXTENDED_EVERY, Math.floor(lifetime / 10));
  const extended = new BoundedMap<string, number>(EXTENDED_CLIENTS);
  const forget = (id: string): void => {
    cache.forget(id);
    extended.delete(id);
  };
  return {
    find: async (id) => {
      // A client with a metadata document is never stored here.
      if (id.startsWith('https://')) return undefined;
      const [listed, record] = await Promise.all([preRegistered.find(id), store.get(KIND, id)]);
      // A shorter lifetime restarts with each use, but never extends beyond the day.
      if (record && lifetime < UNAPPROVED) {
        const left = Math.min(lifetime, endOfDay(record.value) - seconds(clock));
        if (left > 0) await store.touch(KIND, id, left);
      }
      return listed ?? record?.value;
    },
    put: async (id, client, withInitialAccess = false) => {
      forget(id);
      await store.put(KIND, id, client, { ttl: withInitialAccess ? lifetime : Math.min(UNAPPROVED, lifetime) });
    },
    replace: async (id, after) => {
      const before = (await store.get(KIND, id))?.value;
      const done = before !== undefined && (await store.replace(KIND, id, { before, after }));
      forget(id);
      return done;
    },
    remove: async (id) => {
      forget(id);
      await store.delete(KIND, id);
    },
    keep: async (id, atLeast = 0) => {
      const now = seconds(clock);
      const since = now - (extended.get(id) ?? Number.NEGATIVE_INFINITY);
      if (atLeast === 0 && since >= 0 && since < every) return;
      // So much longer that its lifetime counts from a use that does not extend it.
      await store.touch(KIND, id, Math.max(atLeast, lifetime + every));
      extended.set(id, now);
    },
  };
}
