/**
 * Owns how the three kinds of client are set up from the settings: those that the operator adds, those that register (RFC 7591),
 * and those that publish a document (draft-ietf-oauth-client-id-metadata-document).
 */
import { type ClientDocuments, createClientDocuments } from '../client-documents/client-documents.ts';
import { checkCopies, followCopies } from '../client-documents/copies.ts';
import { createGet } from '../client-documents/fetch/get.ts';
import { copyFolderOf, hostPolicyOf } from '../client-documents/settings.ts';
import { createClientFacts, type FindClientFacts } from '../clients/client-facts.ts';
import { createClientList } from '../clients/client-list.ts';
import { createPreRegisteredClients, type PreRegisteredClients } from '../clients/pre-registered.ts';
import type { Config } from '../config.ts';
import { UNAPPROVED } from '../provider/lifetimes.ts';
import { KIND as REGISTERED } from '../provider/records/client-records.ts';
import { createInitialAccessTokens, type InitialAccessTokens } from '../registration/initial-access-tokens.ts';
import type { RegistrationMode } from '../registration/settings.ts';
import type { Dependencies } from './dependencies.ts';

export interface Clients {
  readonly preRegistered: PreRegisteredClients;
  readonly registration: {
    readonly mode: RegistrationMode;
    readonly management: boolean;
    readonly initialAccessTokens: InitialAccessTokens;
  };
  readonly clientDocuments: ClientDocuments;
  /** What people are told about a client. */
  readonly facts: FindClientFacts;
}

type ClientDependencies = Pick<Dependencies, 'store' | 'clock' | 'log' | 'createRateLimit'>;

export const composeClients = (config: Config, dependencies: ClientDependencies): Clients => {
  const { store, clock } = dependencies;
  const preRegistered = createPreRegisteredClients(config.clients, createClientList(store), clock);
  const clientDocuments = composeClientDocuments(config, dependencies);
  const registered = async (id: string) => (await store.get(REGISTERED, id))?.value;
  return {
    preRegistered,
    registration: {
      mode: config.registration,
      management: config.registrationManagement,
      initialAccessTokens: createInitialAccessTokens(store, clock),
    },
    clientDocuments,
    facts: createClientFacts({ preRegistered, registered, published: clientDocuments.stored }),
  };
};

function composeClientDocuments(config: Config, dependencies: ClientDependencies): ClientDocuments {
  const folder = copyFolderOf(config);
  return createClientDocuments(
    {
      hosts: hostPolicyOf(config),
      staleFor: config.clientMetadataStale,
      callerLimit: config.clientMetadataLimit,
      unapprovedFor: UNAPPROVED,
    },
    {
      ...dependencies,
      findCopy: folder === undefined ? undefined : followCopies(folder, dependencies),
      get: createGet({ proxy: config.clientMetadataProxy }),
    },
  );
}

/**
 * Reads the operator's copies of documents and extends the record of the clients that were added, once at start.
 * @throws StartError if the folder with the copies cannot be read
 */
export async function prepareClients(config: Config, dependencies: Dependencies): Promise<void> {
  const folder = copyFolderOf(config);
  if (folder !== undefined) await checkCopies(folder, dependencies);
  await createClientList(dependencies.store).renew();
}
