/**
 * Owns the life of a signing key as pure decisions: published before it signs, so that everybody knows it; kept published
 * until the last token that it signed is dead. All of it follows from the times in the ring, so that every process that has
 * read the same ring decides the same at the same moment.
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

/** Lengths of time in seconds. */
export interface KeyPolicy {
  readonly algorithm: Algorithm;
  /** How long a key signs; 0: until somebody asks for another. */
  readonly rotation: number;
  /** How long a key is published before it signs, and after the last token that it signed has expired. */
  readonly lead: number;
  /** How long the longest-lived token lives. */
  readonly tokenLifetime: number;
  /** How often every process looks at the ring. */
  readonly poll: number;
}

export const newKeyring = (key: SigningKey, now: number): Keyring => [{ key, createdAt: now, signsFrom: now }];

/** The one that signs: the last whose time has come. */
export function activeEntry(ring: Keyring, now: number): KeyringEntry {
  const begun = ring.filter(({ signsFrom }) => signsFrom <= now);
  const later = (a: KeyringEntry, b: KeyringEntry) => (b.signsFrom > a.signsFrom ? b : a);
  const sooner = (a: KeyringEntry, b: KeyringEntry) => (b.signsFrom < a.signsFrom ? b : a);
  // Nobody's time has come only where clocks differ, and somebody has to sign.
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

/** What is in the key set: the one that signs first, then the others, newest first. */
export function publishedKeys(ring: Keyring, now: number): SigningKeys {
  const active = activeEntry(ring, now);
  const others = ring.filter((entry) => entry !== active && isAlive(entry, now));
  return [active.key, ...others.map(({ key }) => key)];
}

const isAlive = ({ publishedUntil }: KeyringEntry, now: number): boolean =>
  publishedUntil === undefined || publishedUntil > now;

/** When the key set changes by itself the next time. */
export function nextChange(ring: Keyring, now: number): number | undefined {
  const times = ring.flatMap(({ signsFrom, publishedUntil }) => [signsFrom, publishedUntil ?? 0]);
  const ahead = times.filter((time) => time > now);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}

/**
 * Whether it is time to publish another key: the one that signs is old enough, or of another algorithm than it should be.
 * Never while one is pending, so that two processes which disagree about the algorithm can't fill the ring.
 */
export function isSuccessorDue(ring: Keyring, policy: KeyPolicy, now: number): boolean {
  if (pendingEntry(ring, now)) return false;
  const { key, signsFrom } = activeEntry(ring, now);
  if (key.alg !== policy.algorithm) return true;
  return policy.rotation > 0 && now >= signsFrom + policy.rotation - policy.lead;
}

/** The ring with one more key, which signs from a time on; the one before it ends when its last token is dead. */
export function withSuccessor(ring: Keyring, successor: KeyringEntry, policy: KeyPolicy): Keyring {
  const active = activeEntry(ring, successor.createdAt);
  const publishedUntil = endAfter(successor.signsFrom, policy);
  return [successor, ...ring.map((entry) => (entry === active ? { ...entry, publishedUntil } : entry))];
}

/** The ring whose pending key signs from an earlier time on. */
export function withEarlierStart(ring: Keyring, pending: KeyringEntry, signsFrom: number): Keyring {
  const [first, ...others] = ring.map((entry) => (entry === pending ? { ...entry, signsFrom } : entry));
  return first ? [first, ...others] : ring;
}

/** The ring without a key; `undefined` where it is the last one. */
export function withoutKey(ring: Keyring, kid: string): Keyring | undefined {
  const [first, ...others] = ring.filter(({ key }) => key.kid !== kid);
  return first && [first, ...others];
}

/**
 * The ring without what is over. The key that signs has an end only while a successor is pending, and a later one where tokens
 * live longer than they did when the successor was published.
 */
export function tended(ring: Keyring, policy: KeyPolicy, now: number): Keyring {
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
