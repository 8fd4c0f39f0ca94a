/**
 * Owns the clients that an operator adds while the server runs: one record, encrypted as a whole and changed by compare-and-set.
 * There are few of them, and they never expire.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { RecordStore } from '../storage/record-store.ts';
import type { Client } from './client.ts';

const KIND = 'PreRegisteredClients';
const ID = 'all';
/** Seconds. Each start and each change renews it. */
const LIFETIME = 10 * 365 * 86_400;
/** Two scripts may change the list at the same time. */
const ATTEMPTS = 10;

interface ListedClient {
  readonly client: Client;
  /** Seconds since the epoch. */
  readonly addedAt: number;
}

export interface ClientList {
  load(): Promise<readonly ListedClient[]>;
  add(added: ListedClient): Promise<void>;
  /** @returns false if there is no such client */
  remove(id: string): Promise<boolean>;
  renew(): Promise<void>;
}

export function createClientList(store: RecordStore): ClientList {
  const read = async (): Promise<JsonObject | undefined> => (await store.get(KIND, ID))?.value;
  const clientsIn = (record: JsonObject | undefined) => (record?.clients ?? []) as readonly ListedClient[];

  /** @param next returns `undefined` if nothing changes */
  async function change(
    next: (clients: readonly ListedClient[]) => readonly ListedClient[] | undefined,
  ): Promise<boolean> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const before = await read();
      const clients = next(clientsIn(before));
      if (!clients) return false;
      const after = { clients };
      const done = before
        ? await store.replace(KIND, ID, { before, after, ttl: LIFETIME })
        : await store.putIfAbsent(KIND, ID, after, { ttl: LIFETIME });
      if (done) return true;
    }
    throw new Error('the list of clients could not be changed: other processes change it at the same time');
  }

  return {
    load: async () => clientsIn(await read()),
    add: async (added) => {
      await change((clients) => [...clients, added]);
    },
    remove: (id) =>
      change((clients) => {
        const left = clients.filter(({ client }) => client.client_id !== id);
        return left.length < clients.length ? left : undefined;
      }),
    renew: () => store.touch(KIND, ID, LIFETIME),
  };
}
