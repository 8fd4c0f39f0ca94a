/**
 * Owns the moment in which a client is written, when nothing is left to refuse it for: a registration then spends its initial
 * access token (RFC 7591 §3), and a change is made to what is still there (RFC 7592 §2.2). The id is public, and operators look for it.
 */
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import type { InitialAccessTokens } from '../../registration/initial-access-tokens.ts';
import type { JsonObject } from '../../storage/record-store.ts';
import type { ClientRecords } from './client-records.ts';

export interface ClientAdapterParts {
  readonly initialAccessTokens: InitialAccessTokens;
}

export function createClientAdapter(clients: ClientRecords, parts: ClientAdapterParts): Adapter {
  const never = async () => undefined;
  return {
    upsert: async (id, payload) => {
      if (Provider.ctx?.oidc.route === 'client_update') return change(id, payload, clients);
      const hasWord = await spendInitialAccess(parts);
      await clients.put(id, payload as JsonObject, hasWord);
    },
    find: async (id) => (await clients.find(id)) as AdapterPayload | undefined,
    findByUid: never,
    findByUserCode: never,
    consume: never,
    destroy: (id) => clients.remove(id),
    revokeByGrantId: never,
  };
}

async function change(id: string, payload: AdapterPayload, clients: ClientRecords) {
  if (await clients.replace(id, payload as JsonObject)) return;
  throw new errors.InvalidToken('the client was changed or removed at the same moment');
}

/** @returns whether there was one */
async function spendInitialAccess({ initialAccessTokens }: ClientAdapterParts): Promise<boolean> {
  const id = Provider.ctx && stateOf(Provider.ctx).initialAccess;
  if (id === undefined) return false;
  if (await initialAccessTokens.spend(id)) return true;
  throw new errors.InvalidToken('the initial access token was used up at the same moment');
}
