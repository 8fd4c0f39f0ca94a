/** Owns how keys are stored: each set is one record, made at the first start, changed by compare-and-set, and shared by all processes. */
import { randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { RecordStore } from '../storage/record-store.ts';
import { type Keyring, type KeyringEntry, newKeyring } from './keyring.ts';
import type { SigningKey, SigningKeys } from './signing-key.ts';

/** A keyring as it was read, from which a change starts. */
export interface StoredKeyring {
  readonly ring: Keyring;
  readonly record: JsonObject;
}

export interface KeyStore {
  load(): Promise<StoredKeyring | undefined>;
  /** Stores a keyring if there is none. @returns the stored keyring, which may be that of another process */
  create(ring: Keyring): Promise<StoredKeyring>;
  /** @returns false if another process has changed the keyring meanwhile */
  replace(before: StoredKeyring, after: Keyring): Promise<boolean>;
}

/** The rings: the keys of the engine, and those of personal tokens, which live for months (docs/keys.md). */
export type RingName = 'signing' | 'personal';

const KIND = 'Keyring';
const COOKIES = 'cookies';
/** Seconds. Keys end by rotation, not by expiry of the record; every start renews it. */
const LIFETIME = 10 * 365 * 86_400;

export function createKeyStore(store: RecordStore, name: RingName = 'signing'): KeyStore {
  const load = async (): Promise<StoredKeyring | undefined> => {
    const record = (await store.get(KIND, name))?.value;
    return record && { record, ring: toRing(record) };
  };
  return {
    load,
    create: async (ring) => {
      await store.putIfAbsent(KIND, name, { keys: ring }, { ttl: LIFETIME });
      const stored = await load();
      if (!stored) throw new Error('the signing keys disappeared from the store right after they were written');
      return stored;
    },
    replace: ({ record }, ring) => store.replace(KIND, name, { before: record, after: { keys: ring }, ttl: LIFETIME }),
  };
}

/** Keys from before there was rotation have no `signsFrom`: they sign from their creation. */
function toRing({ keys, ...rest }: JsonObject): Keyring {
  if ('*' in rest) {
    const what = 'is not set, but the keys in the store are encrypted';
    throw new StartError(`STORAGE_KEYS: ${what}: set it as it was, or begin with an empty store`);
  }
  const stored = keys as readonly (Omit<KeyringEntry, 'signsFrom'> & { readonly signsFrom?: number })[];
  const [first, ...others] = stored.map((entry) => ({ ...entry, signsFrom: entry.signsFrom ?? entry.createdAt }));
  if (!first) throw new Error('the signing keys in the store are empty');
  return [first, ...others];
}

/** The keyring in the store, or a first one. It is written again, so that it is encrypted with the newest storage key. */
export async function openKeyring(
  store: KeyStore,
  clock: Clock,
  generate: () => Promise<SigningKey>,
): Promise<Keyring> {
  const stored = (await store.load()) ?? (await store.create(newKeyring(await generate(), seconds(clock))));
  // If another process is faster, its version is as good or newer.
  await store.replace(stored, stored.ring);
  return stored.ring;
}

/** All keys that the server uses at one time. */
export interface Keys {
  readonly signing: SigningKeys;
  readonly cookies: CookieKeys;
}

/** HMAC secrets of cookies and forms: the first signs, all verify. */
export type CookieKeys = readonly [string, ...string[]];

interface CookieRecord extends JsonObject {
  readonly keys: readonly { readonly key: string; readonly createdAt: number }[];
}

/** Concurrent starts all get the same keys. */
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
