/**
 * Owns the clients that an operator adds while the server runs: one record, which is sealed as a whole and changed by
 * compare-and-set. They are few, and they never expire.
 */
import type { JsonObject, RecordStore } from '../storage/record-store.ts';
import type { Client } from './client.ts';

const KIND = 'PreRegisteredClients';
const ID = 'all';
/** Each start and each change renews it. */
const LIFETIME = 10 * 365 * 86_400;
/** Operators don't race; two scripts may. */
const ATTEMPTS = 10;

interface ListedClient {
  readonly client: Client;
  /** Seconds since the epoch. */
  readonly addedAt: number;
}

export interface ClientList {
  load(): Promise<readonly ListedClient[]>;
  add(added: ListedClient): Promise<void>;
  /** @returns false where there is no such client */
  remove(id: string): Promise<boolean>;
  renew(): Promise<void>;
}

export function createClientList(store: RecordStore): ClientList {
  const read = async (): Promise<JsonObject | undefined> => (await store.get(KIND, ID))?.value;
  const clientsIn = (record: JsonObject | undefined) => (record?.clients ?? []) as readonly ListedClient[];

  /** @param next `undefined` where nothing has to change */
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
    throw new Error('the list of clients was changed by others all the time');
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
