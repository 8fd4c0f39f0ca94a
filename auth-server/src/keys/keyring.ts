/**
 * Owns the life cycle of a signing key as pure decisions: it is published before it signs, so that every verifier knows it, and it
 * stays published until its last token has expired. All decisions follow from the times in the keyring, so every process with the
 * same keyring decides the same at the same time.
 */
import type { Algorithm, SigningKey, SigningKeys } from './signing-key.ts';

/** Times are seconds since the epoch. */
export interface KeyringEntry {
  readonly key: SigningKey;
  readonly createdAt: number;
  readonly signsFrom: number;
  /** Set once there is a successor. */
  readonly publishedUntil?: number;
}

/** Newest first, never empty. */
export type Keyring = readonly [KeyringEntry, ...KeyringEntry[]];

export type KeyState = 'pending' | 'active' | 'retiring';

/** Durations in seconds. */
export interface KeyPolicy {
  readonly algorithm: Algorithm;
  /** How long a key signs; 0: until an operator rotates. */
  readonly rotation: number;
  /** How long a key is published before it signs, and after the last token that it signed has expired. */
  readonly lead: number;
  /** Lifetime of the longest-lived token. */
  readonly tokenLifetime: number;
  /** How often each process reads the keyring. */
  readonly poll: number;
}

export const newKeyring = (key: SigningKey, now: number): Keyring => [{ key, createdAt: now, signsFrom: now }];

/** The signing key: the one with the latest start that has passed. */
export function activeEntry(ring: Keyring, now: number): KeyringEntry {
  const begun = ring.filter(({ signsFrom }) => signsFrom <= now);
  const later = (a: KeyringEntry, b: KeyringEntry) => (b.signsFrom > a.signsFrom ? b : a);
  const sooner = (a: KeyringEntry, b: KeyringEntry) => (b.signsFrom < a.signsFrom ? b : a);
  // All starts are in the future only if clocks differ; then the earliest key signs.
  return begun.length > 0 ? begun.reduce(later) : ring.reduce(sooner);
}

export const pendingEntry = (ring: Keyring, now: number): KeyringEntry | undefined => {
  const active = activeEntry(ring, now);
  return ring.find((entry) => entry !== active && entry.signsFrom > now);
};

export function stateOf(entry: KeyringEntry, ring: Keyring, now: number): KeyState {
  if (entry === activeEntry(ring, now)) return 'active';
  return entry.signsFrom > now ? 'pending' : 'retiring';
}

/** The key set: the signing key first, then the others, newest first. */
export function publishedKeys(ring: Keyring, now: number): SigningKeys {
  const active = activeEntry(ring, now);
  const others = ring.filter((entry) => entry !== active && isAlive(entry, now));
  return [active.key, ...others.map(({ key }) => key)];
}

const isAlive = ({ publishedUntil }: KeyringEntry, now: number): boolean =>
  publishedUntil === undefined || publishedUntil > now;

/** The time of the next scheduled change of the key set. */
export function nextChange(ring: Keyring, now: number): number | undefined {
  const times = ring.flatMap(({ signsFrom, publishedUntil }) => [signsFrom, publishedUntil ?? 0]);
  const ahead = times.filter((time) => time > now);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/**
 * Whether another key must be published: the signing key is old enough, or its algorithm is not the configured one. Never while a
 * key is pending, so that two processes with different settings cannot fill the keyring.
 */
export function isSuccessorDue(ring: Keyring, policy: KeyPolicy, now: number): boolean {
  if (pendingEntry(ring, now)) return false;
  const { key, signsFrom } = activeEntry(ring, now);
  if (key.alg !== policy.algorithm) return true;
  return policy.rotation > 0 && now >= signsFrom + policy.rotation - policy.lead;
}

/** The keyring with one more key and its start; the key before it ends when its last token has expired. */
export function withSuccessor(ring: Keyring, successor: KeyringEntry, policy: KeyPolicy): Keyring {
  const active = activeEntry(ring, successor.createdAt);
  const publishedUntil = endAfter(successor.signsFrom, policy);
  return [successor, ...ring.map((entry) => (entry === active ? { ...entry, publishedUntil } : entry))];
}

/** The keyring with an earlier start of the pending key. */
export function withEarlierStart(ring: Keyring, pending: KeyringEntry, signsFrom: number): Keyring {
  const [first, ...others] = ring.map((entry) => (entry === pending ? { ...entry, signsFrom } : entry));
  return first ? [first, ...others] : ring;
}

/** The keyring without a key; `undefined` if it is the last one. */
export function withoutKey(ring: Keyring, kid: string): Keyring | undefined {
  const [first, ...others] = ring.filter(({ key }) => key.kid !== kid);
  return first && [first, ...others];
}

/**
 * The keyring without expired keys. The signing key has an end only while a successor is pending. The end moves if tokens live
 * longer than when the successor was published.
 */
export function maintained(ring: Keyring, policy: KeyPolicy, now: number): Keyring {
  const active = activeEntry(ring, now);
  const pending = pendingEntry(ring, now);
  const [first, ...others] = ring.flatMap((entry) => {
    if (entry !== active) return isAlive(entry, now) ? [entry] : [];
    const { publishedUntil, ...lasting } = entry;
    if (!pending) return [lasting];
    return [{ ...lasting, publishedUntil: Math.max(publishedUntil ?? 0, endAfter(pending.signsFrom, policy)) }];
  });
  return first ? [first, ...others] : ring;
}

const endAfter = (lastSignature: number, { tokenLifetime, lead }: KeyPolicy): number =>
  lastSignature + tokenLifetime + lead;
