/** Owns what a command says about a client, however this server knows it: configured, added, registered, or by its document. */
import { timeOf } from '@mcp-oauth/shared/cli/list';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { Client } from '../../clients/client.ts';
import { createClientList } from '../../clients/client-list.ts';
import type { OpenedStore } from '../store.ts';

export interface KnownClient {
  readonly id: string;
  readonly name: string | null;
  readonly authentication: string | null;
  readonly grants: string | null;
  readonly scope: string | null;
  /** How it became known, and when. */
  readonly added: string;
}

type Opened = Pick<OpenedStore, 'config' | 'store'>;

/** The clients that the operator configured. */
export async function configuredClients({ config, store }: Opened): Promise<readonly KnownClient[]> {
  const listed = await createClientList(store).load();
  return [
    ...config.clients.map((client) => describe(client, 'in CLIENTS')),
    ...listed.map(({ client, addedAt }) => describe(client, timeOf(addedAt))),
  ];
}

/** A client that may have been removed meanwhile. */
export async function knownClient(id: string, opened: Opened): Promise<KnownClient> {
  const configured = (await configuredClients(opened)).find((client) => client.id === id);
  if (configured) return configured;
  const registered = (await opened.store.get('Client', id))?.value;
  if (registered) return describeMetadata(id, registered, registeredAt(registered));
  const document = (await opened.store.get('ClientMetadataDocument', id))?.value.document as JsonObject | undefined;
  if (document) return describeMetadata(id, document, 'by its document');
  return { id, name: null, authentication: null, grants: null, scope: null, added: 'unknown' };
}

const registeredAt = ({ client_id_issued_at: at }: JsonObject): string =>
  typeof at === 'number' ? `registered ${timeOf(at)}` : 'registered';

const describe = (client: Client, added: string): KnownClient => ({
  id: client.client_id,
  name: client.client_name ?? null,
  authentication: client.token_endpoint_auth_method,
  grants: client.grant_types.join(' '),
  scope: client.scope ?? null,
  added,
});

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);

const describeMetadata = (id: string, metadata: JsonObject, added: string): KnownClient => ({
  id,
  name: text(metadata.client_name),
  authentication: text(metadata.token_endpoint_auth_method),
  grants: Array.isArray(metadata.grant_types) ? metadata.grant_types.join(' ') : null,
  scope: text(metadata.scope),
  added,
});
