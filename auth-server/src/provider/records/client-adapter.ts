/**
 * Owns how a client is written after all checks: a registration then uses its initial access token (RFC 7591 §3), and a change is
 * only applied if the client still exists (RFC 7592 §2.2). The id is stored in plain text, as it is public and operators search for it.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { stateOf } from '../../context-state.ts';
import type { InitialAccessTokens } from '../../registration/initial-access-tokens.ts';
import type { Endings } from '../../revocation/endings.ts';
import type { ClientRecords } from './client-records.ts';

export interface ClientAdapterDependencies {
  readonly initialAccessTokens: InitialAccessTokens;
  readonly endings: Pick<Endings, 'end'>;
}

export function createClientAdapter(clients: ClientRecords, dependencies: ClientAdapterDependencies): Adapter {
  const never = async () => undefined;
  return {
    upsert: async (id, payload) => {
      if (Provider.ctx?.oidc.route === 'client_update') return change(id, payload, clients);
      const withInitialAccess = await spendInitialAccess(dependencies);
      await clients.put(id, payload as JsonObject, withInitialAccess);
    },
    find: async (id) => (await clients.find(id)) as AdapterPayload | undefined,
    findByUid: never,
    findByUserCode: never,
    consume: never,
    destroy: async (id) => {
      const state = Provider.ctx && stateOf(Provider.ctx);
      const request = { reference: state?.requestId, from: state?.clientAddress };
      // In this order: a request that failed in between can be sent again.
      await dependencies.endings.end({ kind: 'client', id }, { origin: 'client', actor: id, ...request });
      await clients.remove(id);
    },
    revokeByGrantId: never,
  };
}

async function change(id: string, payload: AdapterPayload, clients: ClientRecords) {
  if (await clients.replace(id, payload as JsonObject)) return;
  throw new errors.InvalidToken('the client was changed or removed by another request at the same time');
}

/** @returns whether there was a token */
async function spendInitialAccess({ initialAccessTokens }: ClientAdapterDependencies): Promise<boolean> {
  const id = Provider.ctx && stateOf(Provider.ctx).initialAccess;
  if (id === undefined) return false;
  if (await initialAccessTokens.spend(id)) return true;
  throw new errors.InvalidToken('the initial access token was used up by another request at the same time');
}
