/**
 * Owns the cache of clients: every request needs its client, and reading and validating it each time costs a tenth of the time of a
 * refresh. It replaces `provider.Client.find` of oidc-provider 9.13.3.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';

/** Seconds for which another replica may still use a client that was changed or removed. */
const FRESH = 5;
const MAX_CLIENTS = 1_000;

export interface ClientCache {
  get(id: string): Client | undefined;
  set(id: string, client: Client): void;
  forget(id: string): void;
}

export function createClientCache(clock: Clock): ClientCache {
  const clients = new BoundedMap<string, { readonly client: Client; readonly until: number }>(MAX_CLIENTS);
  return {
    get: (id) => {
      const known = clients.get(id);
      return known && known.until > seconds(clock) ? known.client : undefined;
    },
    set: (id, client) => {
      clients.set(id, { client, until: seconds(clock) + FRESH });
    },
    forget: (id) => {
      clients.delete(id);
    },
  };
}

interface Model {
  find(id: string): Promise<Client | undefined>;
}

/** Puts the cache in front of the engine's lookup of clients. */
export function rememberClients(provider: Provider, cache: ClientCache): void {
  const model = provider.Client as unknown as Model;
  const find = model.find.bind(model);
  model.find = async (id) => {
    const known = cache.get(id);
    if (known) return known;
    const client = await find(id);
    if (client) cache.set(id, client);
    return client;
  };
}
