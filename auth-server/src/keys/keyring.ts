/**
 * Owns the keys of the server: made at first start, kept in the store, shared by every process on it. Each set is one
 * record, newest key first, so that a rotation is one write.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { JsonObject, RecordStore } from '../storage/record-store.ts';

/** A private key as JWK with `kid`, `alg` and `use` (RFC 7517 §4). */
type SigningKey = JWK & { readonly kid: string };

export interface Keys {
  /** The first signs, all verify. */
  readonly signing: readonly [SigningKey, ...SigningKey[]];
  /** HMAC secrets of cookies and forms: the first signs, all verify. */
  readonly cookies: readonly [string, ...string[]];
}

const KIND = 'Keyring';
const ALGORITHM = 'ES256';
/** Keys do not die of age but of rotation; every start renews this. */
const LIFETIME = 10 * 365 * 86_400;

interface KeySet<T> {
  readonly keys: readonly { readonly key: T; readonly createdAt: number }[];
}

/** An ES256 key whose `kid` is its RFC 7638 thumbprint: the same key has the same name everywhere. */
async function generateSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = await exportJWK(privateKey);
  return { ...jwk, kid: await calculateJwkThumbprint(jwk, 'sha256'), alg: ALGORITHM, use: 'sig' };
}

/** The stored set, or a new one of one key; of many processes that start at once all end with the same. */
async function keySet<T>(store: RecordStore, clock: Clock, id: string, generate: () => Promise<T>) {
  const find = async () => (await store.get(KIND, id))?.value as (KeySet<T> & JsonObject) | undefined;
  const stored = await find();
  if (stored) {
    await store.touch(KIND, id, LIFETIME);
    return nonEmpty(stored, id);
  }
  const fresh = { keys: [{ key: await generate(), createdAt: seconds(clock) }] };
  const first = await store.putIfAbsent(KIND, id, fresh, { ttl: LIFETIME });
  return nonEmpty(first ? fresh : await find(), id);
}

function nonEmpty<T>(set: KeySet<T> | undefined, id: string): readonly [T, ...T[]] {
  const [first, ...others] = set?.keys.map(({ key }) => key) ?? [];
  if (first === undefined) throw new Error(`the ${id} keys in the store are empty`);
  return [first, ...others];
}

export async function openKeys(store: RecordStore, clock: Clock): Promise<Keys> {
  return {
    signing: await keySet(store, clock, 'signing', generateSigningKey),
    cookies: await keySet(store, clock, 'cookies', async () => randomBytes(32).toString('base64url')),
  };
}
