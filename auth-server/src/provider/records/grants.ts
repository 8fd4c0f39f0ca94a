/**
 * Ensures that a revoked grant never comes back (RFC 7009 §2.1, RFC 9700 §4.14.2), not even if its person approves more at the same
 * time: the engine reads a grant, adds to it and writes it, which would restore it. Its tokens are marked in the status lists.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { ClientDocuments, PublishedClient } from '../../client-documents/client-documents.ts';
import {
  liveReferences,
  type StatusLists,
  type StatusMarks,
  type StatusReference,
} from '../../revocation/status-lists.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import type { ClientRecords } from './client-records.ts';

const KIND = 'Grant';

/** The member of a grant that stores the status references of its tokens. */
export const STATUS = 'status';

/** Seconds that the record of a revoked grant stays at least: longer than any request that may still use the grant. */
const REMEMBERED = 3_600;

/** The grant was revoked after it was read. */
export class GrantRevoked extends Error {
  override readonly name = 'GrantRevoked';
}

/** The id of a grant as the store, commands and the audit have it. */
export const digest = (id: string): string => hash('sha256', id, 'base64url');

/** The status references in a grant, or in its record. */
export const statusOf = (grant: object | undefined): readonly StatusReference[] => {
  const status: unknown = grant && Reflect.get(grant, STATUS);
  return Array.isArray(status) ? status : [];
};

/** The metadata documents of clients. */
export type Published = Pick<ClientDocuments, 'keep'>;

export interface Revoking {
  readonly store: RecordStore;
  readonly marks: StatusMarks;
  readonly clock: Clock;
}

/**
 * Marks the tokens of a grant, then revokes it, by its key in the store. A call that stops in between has not revoked the grant, so that
 * whatever started it starts it again. A reference that is added in between makes the write fail, and is marked next.
 * @returns whether the grant was in use
 */
export async function revokeGrant(key: string, { store, marks, clock }: Revoking): Promise<boolean> {
  for (;;) {
    const current = (await store.get(KIND, key))?.value;
    const status = liveReferences(seconds(clock), statusOf(current));
    await marks.mark(status);
    if (current?.revoked) return false;
    const after = { revoked: true, endedAt: seconds(clock), [STATUS]: status };
    const ttl = Math.max(...status.map(({ until }) => until - seconds(clock)), REMEMBERED);
    const written = current
      ? await store.replace(KIND, key, { before: current, after, ttl })
      : await store.putIfAbsent(KIND, key, after, { ttl });
    if (written) return current !== undefined;
  }
}

/**
 * Adds a status reference to a grant, before any token carries it.
 * @returns the reference to use: a concurrent request may have added one already
 * @throws InvalidGrant if the grant was revoked or has expired
 */
export async function addStatus(
  id: string,
  allocate: () => Promise<StatusReference>,
  { store, clock }: Pick<Revoking, 'store' | 'clock'>,
): Promise<StatusReference> {
  const key = digest(id);
  const read = async () => (await store.get(KIND, key))?.value;
  const [first, reference] = await Promise.all([read(), allocate()]);
  for (let current = first; ; current = await read()) {
    if (!current || current.revoked) throw new errors.InvalidGrant('the grant was revoked by another request');
    const kept = statusOf(current);
    const other = kept.find(({ until }) => until === reference.until);
    if (other) return other;
    const after = { ...current, [STATUS]: liveReferences(seconds(clock), kept, [reference]) };
    if (await store.replace(KIND, key, { before: current, after })) return reference;
  }
}

interface Parties {
  readonly clock: Clock;
  readonly statusLists: StatusLists;
  /** Whether tokens refer to a status list. */
  readonly hasStatus: boolean;
  readonly clients: ClientRecords;
  readonly published: Published;
}

/** @param records the adapter for all other operations */
export function createGrantAdapter(
  store: RecordStore,
  { clients, published, statusLists, hasStatus, clock }: Parties,
  records: Adapter,
): Adapter {
  const write = async (key: string, value: JsonObject, ttl: number): Promise<void> => {
    for (;;) {
      const current = await store.get(KIND, key);
      if (current?.value.revoked) throw new GrantRevoked('revoked');
      // The engine read the grant before a concurrent request may have added a reference.
      const status = liveReferences(seconds(clock), statusOf(value), statusOf(current?.value));
      const after = { ...value, [STATUS]: status };
      const written = current
        ? await store.replace(KIND, key, { before: current.value, after, ttl })
        : await store.putIfAbsent(KIND, key, after, { ttl });
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
      // A token follows in a moment, and then has its reference without a round trip.
      const fresh = hasStatus && !statusLists.isCurrent(statusOf(payload)) ? [await statusLists.allocate()] : [];
      await write(digest(id), { ...payload, [STATUS]: [...statusOf(payload), ...fresh] }, expiresIn);
      // A client is never removed while a grant uses it.
      await keep({ clientId: String(payload.clientId) }, expiresIn);
    },
    destroy: async (id) => {
      await revokeGrant(digest(id), { store, marks: statusLists, clock });
    },
  };
}
