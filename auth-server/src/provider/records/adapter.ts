/**
 * Owns how the authorization engine remembers: one mapping from its models to the record store, whatever the backend.
 * Bearer secrets (codes, refresh tokens, RFC 6749 §10.3) are in the store as SHA-256 only.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { JsonObject, RecordStore, StoredRecord } from '../../storage/record-store.ts';
import { type AccessTokenParts, registrationAccessTokenAdapter } from '../overrides/registration-access-token.ts';
import { type ClientAdapterParts, createClientAdapter } from './client-adapter.ts';
import { type ClientRecordsOptions, createClientRecords } from './client-records.ts';
import { createGrantAdapter, type Published } from './grants.ts';

export interface AdapterOptions extends Omit<ClientRecordsOptions, 'clock'>, ClientAdapterParts, AccessTokenParts {
  /** Seconds in which a spent refresh token still leads to its successor; 0: not at all. */
  readonly refreshGrace: number;
  readonly published: Published;
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
    if (model === 'Grant') return createGrantAdapter(store, { clients, ...options }, recordAdapter(store, model));
    if (model === 'Interaction') return interactionAdapter(store);
    if (model === 'RefreshToken') return refreshTokenAdapter(store, clock, options.refreshGrace);
    return recordAdapter(store, model);
  };
}

function recordAdapter(store: RecordStore, model: string): Adapter {
  const alias = ALIAS[model];
  return {
    upsert: (id, payload, expiresIn) => {
      // What an alias finds must still know its id. A session's id is worth nothing without the key that signs cookies.
      const kept = alias ? (payload as JsonObject) : withoutId(payload);
      return store.put(model, digest(id), kept, { ttl: ended(expiresIn), alias: alias?.(payload) });
    },
    find: async (id) => toPayload(await store.get(model, digest(id)), id),
    findByUid: async (uid) => toPayload(await store.getByAlias(model, uid)),
    findByUserCode: async (userCode) => toPayload(await store.getByAlias(model, userCode)),
    consume: async (id) => {
      // Somebody else was faster: the engine read the record before that, and must not go on (RFC 6749 §4.1.2).
      if (!(await store.consume(model, digest(id)))) throw tooLate(model);
    },
    destroy: (id) => store.delete(model, digest(id)),
    // The engine destroys the grant as well, and asks for it at each use of what hangs on it.
    revokeByGrantId: async () => {},
  };
}

/**
 * A request that goes on leaves its interaction and may begin another one. Of many at once with one cookie exactly one does, or
 * a stranger would make any number out of the few that the limits allow.
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
 * Within the grace window a spent refresh token is as good as a fresh one, but only for its one successor (whose id follows
 * from it): the first of many writes that, and nobody writes it anew, as it may have been spent meanwhile. Where it has been,
 * the client has moved on, and a twin of it that is slow gets nothing and ends nothing.
 */
function refreshTokenAdapter(store: RecordStore, clock: Clock, grace: number): Adapter {
  const model = 'RefreshToken';
  const inGrace = (record: StoredRecord | undefined): boolean =>
    record?.consumedAt !== undefined && grace > 0 && seconds(clock) - record.consumedAt <= grace;
  return {
    ...recordAdapter(store, model),
    upsert: async (id, payload, expiresIn) => {
      const key = digest(id);
      if (await store.putIfAbsent(model, key, withoutId(payload), { ttl: ended(expiresIn) })) return;
      // Read only here, where the presented token came a second time: a first refresh costs no further wait.
      const standing = await store.get(model, key);
      if (standing?.consumedAt !== undefined) throw new errors.InvalidGrant('its successor was already used');
    },
    find: async (id) => {
      const record = await store.get(model, digest(id));
      return toPayload(record && inGrace(record) ? { value: record.value } : record, id);
    },
    consume: async (id) => {
      if (await store.consume(model, digest(id))) return;
      if (!inGrace(await store.get(model, digest(id)))) throw tooLate(model);
    },
    // What is gone could be written anew, and is not found by who asks again as the first answer was lost: its grant ends instead.
    destroy: async () => {},
  };
}

function withoutId({ jti, ...value }: AdapterPayload): JsonObject {
  return value;
}

/** The configuration gives everything an end: a record without one would stay for ever. */
function ended(expiresIn: number | undefined): number {
  if (expiresIn === undefined) throw new Error('a record without an end');
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
    : new errors.InvalidGrant(`${model} consumed at the same moment`);
