/**
 * Owns the two records that lead to a subject: the id of a user, and the name by which a provider looks a user up. They decide
 * nothing: the reader compares the user that it finds with the key. A name is stored as HMAC only, because it is often an address.
 */
import { createHmac } from 'node:crypto';
import type { RecordStore } from '../storage/record-store.ts';

/** Secrets of this server: the first makes the HMAC of a name, all find it. */
export type NameKeys = readonly [string, ...string[]];

/** What the pointers of a user are made from. */
interface Target {
  readonly id: string;
  readonly externalId: string;
  readonly userName?: string | undefined;
}

export interface Pointers {
  hashed(userName: string): string;
  /** The subject of a user. */
  subjectOf(id: string): Promise<string | undefined>;
  /** The users to which a name may lead, each with the HMAC of the name. */
  idsOf(userName: string): Promise<readonly { readonly id: string; readonly hash: string }[]>;
  /** A name that leads to another user stays there, unless this user has just got the name. */
  put(target: Target, options: { readonly ttl: number; readonly isNamed: boolean }): Promise<void>;
  renew(target: Target, ttl: number): Promise<void>;
  drop(id: string): Promise<void>;
  /** Does nothing if the name leads to another user. */
  dropName(target: Target): Promise<void>;
}

const USER = 'ScimUser';
const NAME = 'ScimUserName';
const ID = /^[\w-]{22}$/;

export function createPointers(connector: string, store: RecordStore, nameKeys: NameKeys): Pointers {
  const keyOf = (id: string) => `${connector}:${id}`;
  // RFC 7643 §4.1.1: a userName has no case.
  const hashedWith = (key: string, userName: string) =>
    createHmac('sha256', key)
      .update(JSON.stringify(['scim', connector, userName.toLowerCase()]))
      .digest('base64url');
  const idOf = async (hash: string) => (await store.get(NAME, keyOf(hash)))?.value.id as string | undefined;
  return {
    hashed: (userName) => hashedWith(nameKeys[0], userName),
    subjectOf: async (id) =>
      ID.test(id) ? ((await store.get(USER, keyOf(id)))?.value.externalId as string | undefined) : undefined,
    idsOf: async (userName) => {
      const hashes = nameKeys.map((key) => hashedWith(key, userName));
      const ids = await Promise.all(hashes.map(idOf));
      return hashes.flatMap((hash, index) => {
        const id = ids[index];
        return id === undefined ? [] : [{ id, hash }];
      });
    },
    put: async ({ id, externalId, userName }, { ttl, isNamed }) => {
      await store.put(USER, keyOf(id), { externalId }, { ttl });
      if (userName === undefined) return;
      const other = isNamed ? undefined : await idOf(userName);
      if (other === undefined || other === id) await store.put(NAME, keyOf(userName), { id }, { ttl });
    },
    renew: async ({ id, userName }, ttl) => {
      await store.touch(USER, keyOf(id), ttl);
      if (userName !== undefined) await store.touch(NAME, keyOf(userName), ttl);
    },
    drop: (id) => store.delete(USER, keyOf(id)),
    dropName: async ({ id, userName }) => {
      if (userName !== undefined && (await idOf(userName)) === id) await store.delete(NAME, keyOf(userName));
    },
  };
}
