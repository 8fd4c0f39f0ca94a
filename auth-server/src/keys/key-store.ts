/** Owns where keys are kept: each set is one record, made at first start, changed by compare-and-set, never for one process alone. */
import { randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject, RecordStore } from '../storage/record-store.ts';
import { type Keyring, type KeyringEntry, newKeyring } from './keyring.ts';
import type { SigningKey, SigningKeys } from './signing-key.ts';

/** A ring as it was read, which is what a change has to start from. */
export interface StoredKeyring {
  readonly ring: Keyring;
  readonly record: JsonObject;
}

export interface KeyStore {
  load(): Promise<StoredKeyring | undefined>;
  /** Keeps a ring where there is none. @returns the one that stands there afterwards, ours or another's */
  create(ring: Keyring): Promise<StoredKeyring>;
  /** @returns false where another process has changed the ring meanwhile */
  replace(before: StoredKeyring, after: Keyring): Promise<boolean>;
}

const KIND = 'Keyring';
const SIGNING = 'signing';
const COOKIES = 'cookies';
/** Keys do not die of age but of rotation; every start renews this. */
const LIFETIME = 10 * 365 * 86_400;

export function createKeyStore(store: RecordStore): KeyStore {
  const load = async (): Promise<StoredKeyring | undefined> => {
    const record = (await store.get(KIND, SIGNING))?.value;
    return record && { record, ring: toRing(record) };
  };
  return {
    load,
    create: async (ring) => {
      await store.putIfAbsent(KIND, SIGNING, { keys: ring }, { ttl: LIFETIME });
      const stored = await load();
      if (!stored) throw new Error('the signing keys are gone as soon as they are written');
      return stored;
    },
    replace: ({ record }, ring) =>
      store.replace(KIND, SIGNING, { before: record, after: { keys: ring }, ttl: LIFETIME }),
  };
}

/** Keys that were stored before there was rotation have always signed. */
function toRing({ keys }: JsonObject): Keyring {
  const stored = keys as readonly (Omit<KeyringEntry, 'signsFrom'> & { readonly signsFrom?: number })[];
  const [first, ...others] = stored.map((entry) => ({ ...entry, signsFrom: entry.signsFrom ?? entry.createdAt }));
  if (!first) throw new Error('the signing keys in the store are empty');
  return [first, ...others];
}

/** The ring in the store, or a first one; written anew, so that it is sealed with the newest storage key. */
export async function openKeyring(
  store: KeyStore,
  clock: Clock,
  generate: () => Promise<SigningKey>,
): Promise<Keyring> {
  const stored = (await store.load()) ?? (await store.create(newKeyring(await generate(), seconds(clock))));
  // Another process that is faster does the same or knows better.
  await store.replace(stored, stored.ring);
  return stored.ring;
}

/** All keys of the server as they are used at one time. */
export interface Keys {
  readonly signing: SigningKeys;
  readonly cookies: CookieKeys;
}

/** HMAC secrets of cookies and forms: the first signs, all verify. */
export type CookieKeys = readonly [string, ...string[]];

interface CookieRecord extends JsonObject {
  readonly keys: readonly { readonly key: string; readonly createdAt: number }[];
}

/** Of many processes that start at once all end with the same. */
export async function openCookieKeys(store: RecordStore, clock: Clock): Promise<CookieKeys> {
  const find = async () => (await store.get(KIND, COOKIES))?.value as CookieRecord | undefined;
  let record = await find();
  if (record) await store.replace(KIND, COOKIES, { before: record, after: record, ttl: LIFETIME });
  else {
    const key = randomBytes(32).toString('base64url');
    await store.putIfAbsent(KIND, COOKIES, { keys: [{ key, createdAt: seconds(clock) }] }, { ttl: LIFETIME });
    record = await find();
  }
  const [first, ...others] = record?.keys.map(({ key }) => key) ?? [];
  if (first === undefined) throw new Error('the cookie keys in the store are empty');
  return [first, ...others];
}
