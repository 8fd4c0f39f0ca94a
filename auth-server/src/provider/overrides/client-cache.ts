/**
 * Owns the clients that were asked for a moment ago: every request asks for its client, and reading, judging and comparing it
 * each time costs a tenth of a refresh.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type Provider from 'oidc-provider';
import type { Client } from 'oidc-provider';

/** Seconds. So long another replica may still know a client that was changed or removed. */
const FRESH = 5;
const MAX_CLIENTS = 1_000;

export interface ClientCache {
  get(id: string): Client | undefined;
  set(id: string, client: Client): void;
  forget(id: string): void;
}

export function createClientCache(clock: Clock): ClientCache {
  const clients = new Map<string, { readonly client: Client; readonly until: number }>();
  const forget = (id: string): void => {
    clients.delete(id);
  };
  return {
    get: (id) => {
      const known = clients.get(id);
      return known && known.until > seconds(clock) ? known.client : undefined;
    },
    set: (id, client) => {
      // A map keeps its order, so the first is the oldest.
      const [oldest] = clients.keys();
      if (clients.size >= MAX_CLIENTS && oldest !== undefined) forget(oldest);
      forget(id);
      clients.set(id, { client, until: seconds(clock) + FRESH });
    },
    forget,
  };
}

interface Model {
  find(id: string): Promise<Client | undefined>;
}

/** Puts the cache before all that the engine does to find a client. */
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
