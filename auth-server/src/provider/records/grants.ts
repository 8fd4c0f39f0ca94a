/**
 * Ensures that a revoked grant never comes back (RFC 7009 §2.1, RFC 9700 §4.14.2), not even if its person approves more at the same
 * time: the engine reads a grant, adds to it and writes it, which would restore it.
 */
import { hash } from 'node:crypto';
import type { JsonObject } from '@mcp-oauth/shared/json';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import type { ClientDocuments, PublishedClient } from '../../client-documents/client-documents.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import type { ClientRecords } from './client-records.ts';

const KIND = 'Grant';

/** The record that replaces a revoked grant. It stays longer than any request that may still use the grant. */
const REVOKED = { revoked: true } as const;
const REMEMBERED = 3_600;

/** The grant was revoked after it was read. */
export class GrantRevoked extends Error {
  override readonly name = 'GrantRevoked';
}

/** The id of a grant as the store, commands and the audit have it. */
export const digest = (id: string): string => hash('sha256', id, 'base64url');

/** The metadata documents of clients. */
export type Published = Pick<ClientDocuments, 'keep'>;

interface Parties {
  readonly clients: ClientRecords;
  readonly published: Published;
}

/** @param records the adapter for all other operations */
export function createGrantAdapter(store: RecordStore, { clients, published }: Parties, records: Adapter): Adapter {
  const write = async (key: string, value: JsonObject, ttl: number): Promise<void> => {
    for (;;) {
      const current = await store.get(KIND, key);
      if (current?.value.revoked) throw new GrantRevoked('revoked');
      const written = current
        ? await store.replace(KIND, key, { before: current.value, after: value, ttl })
        : await store.putIfAbsent(KIND, key, value, { ttl });
      if (written) return;
    }
  };
  const keep = (client: PublishedClient, atLeast?: number) =>
    Promise.all([clients.keep(client.clientId, atLeast), published.keep(client)]);
  return {
    ...records,
    find: async (id) => {
      // Reading the grant of a client counts as its use, which extends the client. Both run concurrently, to save a round trip.
      const client = Provider.ctx?.oidc.client;
      const [found] = await Promise.all([records.find(id), client && keep(client)]);
      return found?.revoked ? undefined : found;
    },
    upsert: async (id, { jti, ...payload }: AdapterPayload, expiresIn) => {
      if (expiresIn === undefined) throw new Error('a grant without an expiry');
      await write(digest(id), payload, expiresIn);
      // A client is never removed while a grant uses it.
      await keep({ clientId: String(payload.clientId) }, expiresIn);
    },
    destroy: (id) => store.put(KIND, digest(id), REVOKED, { ttl: REMEMBERED }),
  };
}
