/**
 * Owns which clients the operator configured, by id: those of CLIENTS and those of the list. They have more rights than a client
 * that anybody can register (RFC 6749 §4.4 machine clients), so nothing that a client sends makes it one of them.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Client } from './client.ts';
import type { ClientList } from './client-list.ts';

/** Seconds for which other processes may still accept a client that was removed. */
const FRESH = 5;

export interface PreRegisteredClients {
  find(id: string): Promise<Client | undefined>;
  /** Whether the client that `find` just returned for this id was configured by the operator. */
  has(id: unknown): boolean;
}

export function createPreRegisteredClients(
  configured: readonly Client[],
  list: ClientList,
  clock: Clock,
): PreRegisteredClients {
  const fixed = byId(configured);
  let listed: ReadonlyMap<string, Client> = new Map();
  let freshUntil = 0;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    listed = byId((await list.load()).map(({ client }) => client));
    freshUntil = seconds(clock) + FRESH;
  }

  return {
    find: async (id) => {
      const client = fixed.get(id);
      if (client) return client;
      if (seconds(clock) >= freshUntil) {
        loading ??= load().finally(() => {
          loading = undefined;
        });
        await loading;
      }
      return listed.get(id);
    },
    has: (id) => typeof id === 'string' && (fixed.has(id) || listed.has(id)),
  };
}

const byId = (clients: readonly Client[]): ReadonlyMap<string, Client> =>
  new Map(clients.map((client) => [client.client_id, client]));
