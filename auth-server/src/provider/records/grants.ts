/**
 * Owns that a grant which was revoked never comes back (RFC 7009 §2.1, RFC 9700 §4.14.2), not even when its person approves more
 * at that very moment: the engine reads a grant, adds to it and writes it, and would write it anew.
 */
import { hash } from 'node:crypto';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import type { ClientDocuments, PublishedClient } from '../../client-documents/client-documents.ts';
import type { JsonObject, RecordStore } from '../../storage/record-store.ts';
import type { ClientRecords } from './client-records.ts';

const KIND = 'Grant';

/** What is left of a grant; longer than any request that may still hold it. */
const REVOKED = { revoked: true } as const;
const REMEMBERED = 3_600;

/** The grant has been revoked since it was read. */
export class GrantRevoked extends Error {
  override readonly name = 'GrantRevoked';
}

const digest = (id: string): string => hash('sha256', id, 'base64url');

/** What clients publish about themselves. */
export type Published = Pick<ClientDocuments, 'keep'>;

interface Parties {
  readonly clients: ClientRecords;
  readonly published: Published;
}

/** @param records where everything else goes its usual way */
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
      // Whoever asks for the grant of a client uses it, and the client lives on. At the same time: it costs no further wait.
      const client = Provider.ctx?.oidc.client;
      const [found] = await Promise.all([records.find(id), client && keep(client)]);
      return found?.revoked ? undefined : found;
    },
    upsert: async (id, { jti, ...payload }: AdapterPayload, expiresIn) => {
      if (expiresIn === undefined) throw new Error('a grant without an end');
      await write(digest(id), payload, expiresIn);
      // A client is never forgotten while somebody's grant uses it.
      await keep({ clientId: String(payload.clientId) }, expiresIn);
    },
    destroy: (id) => store.put(KIND, digest(id), REVOKED, { ttl: REMEMBERED }),
  };
}
