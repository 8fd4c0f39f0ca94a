/**
 * Owns how the authorization engine remembers: one mapping from its models to the record store, whatever the backend.
 * Bearer secrets (codes, refresh tokens, RFC 6749 §10.3) are in the store as SHA-256 only.
 */
import { createHash } from 'node:crypto';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { JsonObject, RecordStore, StoredRecord } from '../storage/record-store.ts';

/** Models whose records are also found by a second key. */
const ALIAS: Readonly<Record<string, (payload: AdapterPayload) => string | undefined>> = {
  Session: ({ uid }) => uid,
};

const digest = (secret: string): string => createHash('sha256').update(secret).digest('base64url');

/** @param clientLifetime seconds that a registered client is remembered after its last use */
export function createAdapter(store: RecordStore, clientLifetime: number): (model: string) => Adapter {
  return (model) => {
    // The id of a client is public, and operators look for it; every other id opens something.
    const key = model === 'Client' ? (id: string) => id : digest;
    const alias = ALIAS[model];

    const toPayload = (record: StoredRecord | undefined, id?: string): AdapterPayload | undefined =>
      record && {
        ...record.value,
        ...(id !== undefined && model !== 'Client' && { jti: id }),
        ...(record.consumedAt !== undefined && { consumed: record.consumedAt }),
      };

    return {
      upsert: async (id, payload, expiresIn) => {
        const options = { ttl: expiresIn ?? clientLifetime, grantId: payload.grantId, alias: alias?.(payload) };
        // What an alias finds must still know its id. A session's id is worth nothing without the key that signs cookies.
        const { jti, ...value } = payload;
        const kept: JsonObject = alias ? payload : value;
        if (model !== 'ReplayDetection') return store.put(model, key(id), kept, options);
        if (await store.putIfAbsent(model, key(id), kept, options)) return;
        throw new errors.InvalidClientAuth('assertion used twice at once');
      },
      find: async (id) => {
        const payload = toPayload(await store.get(model, key(id)), id);
        if (payload && model === 'Client') await store.touch(model, id, clientLifetime);
        return payload;
      },
      findByUid: async (uid) => toPayload(await store.getByAlias(model, uid)),
      findByUserCode: async (userCode) => toPayload(await store.getByAlias(model, userCode)),
      consume: async (id) => {
        // Somebody else was faster: the engine read the record before that, and must not go on (RFC 6749 §4.1.2).
        if (!(await store.consume(model, key(id))))
          throw new errors.InvalidGrant(`${model} consumed at the same moment`);
      },
      destroy: (id) => store.delete(model, key(id)),
      revokeByGrantId: (grantId) => store.deleteByGrant(model, grantId),
    };
  };
}
