/**
 * Owns how the engine stores its models: one mapping to the record store, for every backend. Bearer secrets (codes, refresh tokens,
 * RFC 6749 §10.3) are stored as SHA-256 only.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { SignedOut } from '../../logout/signed-out.ts';
import type { StatusLists } from '../../revocation/status-lists.ts';
import type { RecordStore, StoredRecord } from '../../storage/record-store.ts';
import { deviceCodeAdapter } from '../device/code-records.ts';
import type { Limit } from '../device/polling.ts';
import {
  type RegistrationAccessTokenOptions,
  registrationAccessTokenAdapter,
} from '../overrides/registration-access-token.ts';
import { type ClientAdapterDependencies, createClientAdapter } from './client-adapter.ts';
import { type ClientRecordsOptions, createClientRecords } from './client-records.ts';
import { createGrantAdapter, type Published } from './grants.ts';
import { type ListingOptions, listedGrants } from './listed-grants.ts';
import { createSessionAdapter } from './sessions.ts';

export interface AdapterOptions
  extends Omit<ClientRecordsOptions, 'clock'>,
    ClientAdapterDependencies,
    RegistrationAccessTokenOptions,
    ListingOptions {
  /** Seconds for which a used refresh token or device code still returns its successor; 0: none. */
  readonly refreshGrace: number;
  readonly published: Published;
  readonly statusLists: StatusLists;
  readonly hasStatus: boolean;
  readonly signedOut: Pick<SignedOut, 'includes'>;
  /** Counts the open device codes of a client. */
  readonly openCodes: Limit;
}

/** Models whose records are also found by a second key. */
const ALIAS: Readonly<Record<string, (payload: AdapterPayload) => string | undefined>> = {
  Session: ({ uid }) => uid,
};

const digest = (secret: string): string => hash('sha256', secret, 'base64url');

export function createAdapter(store: RecordStore, clock: Clock, options: AdapterOptions): (model: string) => Adapter {
  const clients = createClientRecords(store, { ...options, clock });
  return (model) => {
    if (model === 'Client') return createClientAdapter(clients, options);
    if (model === 'RegistrationAccessToken') return registrationAccessTokenAdapter(options);
    if (model === 'Grant') {
      const grants = createGrantAdapter(store, { clients, clock, ...options }, recordAdapter(store, model));
      return listedGrants(grants, clock, options);
    }
    if (model === 'Interaction') return interactionAdapter(store);
    if (model === 'Session') return createSessionAdapter(recordAdapter(store, model), options.signedOut);
    if (model === 'DeviceCode') return deviceCodeAdapter(store, { clock, grace: options.refreshGrace, ...options });
    if (model === 'RefreshToken') return refreshTokenAdapter(store, clock, options.refreshGrace);
    return recordAdapter(store, model);
  };
}

function recordAdapter(store: RecordStore, model: string): Adapter {
  const alias = ALIAS[model];
  return {
    upsert: (id, payload, expiresIn) => {
      // A record that is found by its alias needs its id. The id of a session is useless without the key that signs cookies.
      const kept = alias ? (payload as JsonObject) : withoutId(payload);
      return store.put(model, digest(id), kept, { ttl: ended(expiresIn), alias: alias?.(payload) });
    },
    find: async (id) => toPayload(await store.get(model, digest(id)), id),
    findByUid: async (uid) => toPayload(await store.getByAlias(model, uid)),
    findByUserCode: async () => undefined,
    consume: async (id) => {
      // Another request was faster. The engine read the record before that, and must not continue (RFC 6749 §4.1.2).
      if (!(await store.consume(model, digest(id)))) throw tooLate(model);
    },
    destroy: (id) => store.delete(model, digest(id)),
    // Not needed: the engine destroys the grant as well, and reads it at each use of its tokens.
    revokeByGrantId: async () => {},
  };
}

/**
 * A request that continues ends its interaction and may start another one. Of concurrent requests with one cookie exactly one
 * continues; otherwise anybody could multiply the interactions that the limits allow.
 */
function interactionAdapter(store: RecordStore): Adapter {
  const model = 'Interaction';
  return {
    ...recordAdapter(store, model),
    destroy: async (id) => {
      if (!(await store.take(model, digest(id)))) throw new errors.SessionNotFound('interaction session not found');
    },
  };
}

/**
 * Within the grace period a used refresh token is valid, but only for its one successor, whose id is derived from it. The first of
 * concurrent requests writes the successor, and nobody overwrites it, because it may have been used meanwhile. If it was used, the
 * client has moved on: a slow concurrent request gets an error, and the grant stays.
 */
function refreshTokenAdapter(store: RecordStore, clock: Clock, grace: number): Adapter {
  const model = 'RefreshToken';
  const inGrace = (record: StoredRecord | undefined): boolean =>
    record?.consumedAt !== undefined && grace > 0 && seconds(clock) - record.consumedAt <= grace;
  return {
    ...recordAdapter(store, model),
    upsert: async (id, payload, expiresIn) => {
      const key = digest(id);
      if (await store.putIfAbsent(model, key, withoutUnread(payload), { ttl: ended(expiresIn) })) return;
      // Read only if the token was presented a second time, so that a first refresh needs no further round trip.
      const standing = await store.get(model, key);
      if (standing?.consumedAt !== undefined)
        throw new errors.InvalidGrant('the successor of this token or code was already used');
    },
    find: async (id) => {
      const record = await store.get(model, digest(id));
      return toPayload(record && inGrace(record) ? { value: record.value } : record, id);
    },
    consume: async (id) => {
      if (await store.consume(model, digest(id))) return;
      if (!inGrace(await store.get(model, digest(id)))) throw tooLate(model);
    },
    // Not destroyed: it could be written again, and a client that lost the first answer would not find it. Its grant ends instead.
    destroy: async () => {},
  };
}

function withoutId({ jti, ...value }: AdapterPayload): JsonObject {
  return value;
}

/** A used refresh token is kept for weeks, so that its reuse is noticed: it has no member that the engine sets again or never reads. */
function withoutUnread({
  jti,
  kind,
  iiat,
  rotations,
  sessionUid,
  expiresWithSession,
  ...value
}: AdapterPayload): JsonObject {
  return value;
}

/** The configuration sets an expiry for everything: a record without one would stay for ever. */
function ended(expiresIn: number | undefined): number {
  if (expiresIn === undefined) throw new Error('a record without an expiry');
  return expiresIn;
}

const toPayload = (record: StoredRecord | undefined, id?: string): AdapterPayload | undefined =>
  record && {
    ...record.value,
    ...(id !== undefined && { jti: id }),
    ...(record.consumedAt !== undefined && { consumed: record.consumedAt }),
  };

const tooLate = (model: string): Error =>
  model === 'PushedAuthorizationRequest'
    ? new errors.InvalidRequestUri('request_uri is invalid, expired, or was already used')
    : new errors.InvalidGrant(`${model} was consumed by another request at the same time`);
