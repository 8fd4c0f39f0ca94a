/**
 * Owns the secret keys that seal data for clients. Every replica seals with the newest key and unseals with older
 * ones too, so that any replica can continue the work of another.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';

interface SealingKey {
  /** Identifies the key without revealing anything about it. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export interface SealingKeys {
  /** The key that seals. */
  current(): Promise<SealingKey>;
  /** The key with this id, if it is still kept. */
  find(id: string): Promise<SealingKey | undefined>;
}

/** PORT: stores the ring of keys as one text for all replicas. */
export interface KeyRecord {
  read(): Promise<string | undefined>;
  /** Stores `after` if the record still is `before` (`undefined`: empty). @returns whether it did */
  replace(before: string | undefined, after: string): Promise<boolean>;
}

interface RingEntry {
  /** Base64url. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

const DAY = 86_400_000;

/** Number of keys in the ring: the one that seals and its predecessor. Sealed data must be unsealed within a day. */
const KEPT = 2;

/** Milliseconds after which the record is read again, as another replica may have created a newer key. */
const STALE = 60_000;

const ID = 8;

const keyOf = (secret: Uint8Array): SealingKey => ({
  id: createHash('sha256').update('id').update(secret).digest('base64url').slice(0, ID),
  secret,
});

/** Keys from the configuration: the first seals, all unseal. */
export function configuredKeys(secrets: readonly [Uint8Array, ...Uint8Array[]]): SealingKeys {
  const [first, ...others] = secrets;
  const current = keyOf(first);
  const all = new Map([current, ...others.map(keyOf)].map((key) => [key.id, key]));
  return { current: async () => current, find: async (id) => all.get(id) };
}

/** Keys that the replicas create themselves, a new one every day, and share through a record. */
export function sharedKeys(record: KeyRecord, clock: Clock): SealingKeys {
  let ring: readonly RingEntry[] = [];
  let readAt = Number.NEGATIVE_INFINITY;

  const read = async (): Promise<string | undefined> => {
    const text = await record.read();
    ring = text === undefined ? [] : JSON.parse(text);
    readAt = clock.now();
    return text;
  };
  const isDue = () => (ring[0]?.createdAt ?? Number.NEGATIVE_INFINITY) <= clock.now() - DAY;
  const renew = async (): Promise<void> => {
    const before = await read();
    if (!isDue()) return;
    const fresh = { secret: randomBytes(32).toString('base64url'), createdAt: clock.now() };
    // If another replica was faster, its key is used.
    await record.replace(before, JSON.stringify([fresh, ...ring].slice(0, KEPT)));
    await read();
  };
  const keys = () => ring.map(({ secret }) => keyOf(Buffer.from(secret, 'base64url')));

  return {
    current: async () => {
      if (readAt <= clock.now() - STALE || isDue()) await renew().catch(unlessKnown(ring));
      const [newest] = keys();
      if (!newest) throw new Error('the sealing keys disappeared right after they were written');
      return newest;
    },
    find: async (id) => {
      const known = keys().find((key) => key.id === id);
      if (known) return known;
      await read();
      return keys().find((key) => key.id === id);
    },
  };
}

/** While the record is unavailable, an old key is used if there is one. */
const unlessKnown = (ring: readonly RingEntry[]) => (error: unknown) => {
  if (ring.length === 0) throw error;
};
