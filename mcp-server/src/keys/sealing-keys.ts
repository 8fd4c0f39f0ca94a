/**
 * Owns the secret keys with which this server seals what it gives into the hands of clients: every replica seals with the
 * newest and opens what was sealed with those before it, so that any replica can go on where another has stopped.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';

interface SealingKey {
  /** Says which key it is, and nothing about it. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

export interface SealingKeys {
  /** The one that seals. */
  current(): Promise<SealingKey>;
  /** One that opens, if there still is one with this id. */
  find(id: string): Promise<SealingKey | undefined>;
}

/** PORT: where a ring of keys is kept, as one text for all replicas. */
export interface KeyRecord {
  read(): Promise<string | undefined>;
  /** Keeps `after` where `before` still stands (`undefined`: nothing). @returns whether it did */
  replace(before: string | undefined, after: string): Promise<boolean>;
}

interface RingEntry {
  /** Base64url. */
  readonly secret: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

const DAY = 86_400_000;

/** The one that seals and the one before: what is sealed must be opened within a day. */
const KEPT = 2;

/** Milliseconds after which another replica may be asked whether it has made a newer key. */
const STALE = 60_000;

const ID = 8;

const keyOf = (secret: Uint8Array): SealingKey => ({
  id: createHash('sha256').update('id').update(secret).digest('base64url').slice(0, ID),
  secret,
});

/** Keys from the configuration: the first seals, all open. */
export function configuredKeys(secrets: readonly [Uint8Array, ...Uint8Array[]]): SealingKeys {
  const [first, ...others] = secrets;
  const current = keyOf(first);
  const all = new Map([current, ...others.map(keyOf)].map((key) => [key.id, key]));
  return { current: async () => current, find: async (id) => all.get(id) };
}

/** Keys that the replicas make themselves, a new one every day, and share through a record. */
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
    // Whoever was faster has made one that does as well.
    await record.replace(before, JSON.stringify([fresh, ...ring].slice(0, KEPT)));
    await read();
  };
  const keys = () => ring.map(({ secret }) => keyOf(Buffer.from(secret, 'base64url')));

  return {
    current: async () => {
      if (readAt <= clock.now() - STALE || isDue()) await renew().catch(unlessKnown(ring));
      const [newest] = keys();
      if (!newest) throw new Error('the sealing keys are gone as soon as they are written');
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

/** While the record is out of reach, an old key is better than none. */
const unlessKnown = (ring: readonly RingEntry[]) => (error: unknown) => {
  if (ring.length === 0) throw error;
};
