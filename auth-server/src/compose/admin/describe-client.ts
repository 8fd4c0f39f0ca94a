/** Owns what the operator is told about a client: its name and where it comes from. The document of a published client is not read. */
import type { ClientRow } from '../../administration/overview.ts';
import type { PreRegisteredClients } from '../../clients/pre-registered.ts';
import type { RecordStore } from '../../storage/record-store.ts';

type Described = Pick<ClientRow, 'name' | 'origin'>;

export const describeClientBy =
  (preRegistered: Pick<PreRegisteredClients, 'find'>, store: Pick<RecordStore, 'get'>) =>
  async (clientId: string): Promise<Described> => {
    const added = await preRegistered.find(clientId);
    if (added) return { name: added.client_name, origin: 'operator' };
    // Its host vouches for the id, and for no name.
    if (clientId.startsWith('https://')) return { origin: 'published' };
    const registered = (await store.get('Client', clientId))?.value;
    if (!registered) return { origin: 'removed' };
    const { client_name: name } = registered;
    return { name: typeof name === 'string' ? name : undefined, origin: 'registered' };
  };
