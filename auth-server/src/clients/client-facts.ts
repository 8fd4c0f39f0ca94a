/**
 * Owns what people are told about a client whose access exists already: its name, and who vouches for it. Nobody is asked for it, so a
 * host that is down delays no page.
 */
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { PreRegisteredClients } from './pre-registered.ts';

interface ClientFacts {
  readonly id: string;
  /** The name that the client chose for itself, unless the operator configured it. */
  readonly name: string | undefined;
  readonly byOperator: boolean;
  /** The host that publishes the metadata of the client: verified by https when it was read. */
  readonly host: string | undefined;
}

/** Metadata of clients as it is stored (RFC 7591 §2). */
export interface StoredClients {
  readonly preRegistered: Pick<PreRegisteredClients, 'find'>;
  registered(id: string): Promise<JsonObject | undefined>;
  published(id: string): Promise<JsonObject | undefined>;
}

/** `undefined`: the client is not stored any more. */
export type FindClientFacts = (id: string) => Promise<ClientFacts | undefined>;

export const createClientFacts =
  ({ preRegistered, registered, published }: StoredClients): FindClientFacts =>
  async (id) => {
    const url = /^https?:/.test(id) ? URL.parse(id) : null;
    // Only a document that was read proves its host, and an approval proves that one was read.
    if (url) return { id, name: nameIn(await published(id)), byOperator: false, host: url.host };
    const configured = await preRegistered.find(id);
    if (configured) return { id, name: configured.client_name, byOperator: true, host: undefined };
    const found = await registered(id);
    return found && { id, name: nameIn(found), byOperator: false, host: undefined };
  };

const nameIn = (metadata: JsonObject | undefined): string | undefined =>
  typeof metadata?.client_name === 'string' ? metadata.client_name : undefined;
