/** Owns the commands of an operator for the keys: they follow the rules of the automatic rotation, and are safe in an emergency. */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import type { KeyStore } from './key-store.ts';
import {
  activeEntry,
  type KeyPolicy,
  type Keyring,
  maintained,
  newKeyring,
  pendingEntry,
  withEarlierStart,
  withoutKey,
  withSuccessor,
} from './keyring.ts';
import type { Algorithm, SigningKey } from './signing-key.ts';

export interface KeyChangeDependencies {
  readonly store: KeyStore;
  readonly policy: KeyPolicy;
  readonly clock: Clock;
  readonly generate: (algorithm: Algorithm) => Promise<SigningKey>;
}

/** The result of a command, and the keyring after it. */
export interface KeyChange {
  readonly ring: Keyring;
  readonly now: number;
  /** The key that signs next, or already. */
  readonly successor: SigningKey;
}

/**
 * Publishes a new key, which signs after the usual lead, or with `atOnce` as soon as every process can have read it.
 * @throws StartError if another key is already pending
 */
export const rotate = (dependencies: KeyChangeDependencies, atOnce: boolean): Promise<KeyChange> =>
  change(dependencies, async (ring, now) => {
    const { policy, generate } = dependencies;
    const pending = pendingEntry(ring, now);
    const soon = now + noticedAfter(policy);
    if (pending && atOnce) {
      return { ring: withEarlierStart(ring, pending, Math.min(pending.signsFrom, soon)), successor: pending.key };
    }
    refusePending(ring, now);
    const successor = await generate(policy.algorithm);
    const signsFrom = atOnce ? soon : now + policy.lead;
    return { ring: withSuccessor(ring, { key: successor, createdAt: now, signsFrom }, policy), successor };
  });

/** Publishes an imported key, which signs after the usual lead, or at once in a new store. */
export async function introduce(dependencies: KeyChangeDependencies, key: SigningKey): Promise<KeyChange> {
  const { store, policy, clock } = dependencies;
  if (key.alg !== policy.algorithm) {
    throw new StartError(
      `the key is for ${key.alg}; set SIGNING_ALGORITHM to that value, otherwise this server would soon replace the key`,
    );
  }
  if (!(await store.load())) await store.create(newKeyring(key, seconds(clock)));
  return change(dependencies, async (ring, now) => {
    if (activeEntry(ring, now).key.kid === key.kid && ring.length === 1) return { ring, successor: key };
    if (ring.some((entry) => entry.key.kid === key.kid)) throw new StartError(`the key ${key.kid} already exists`);
    refusePending(ring, now);
    const successor = { key, createdAt: now, signsFrom: now + policy.lead };
    return { ring: withSuccessor(ring, successor, policy), successor: key };
  });
}

/** Removes a key from the key set at once: its tokens are then refused. If it is the signing key, the next key signs now. */
export const retire = (dependencies: KeyChangeDependencies, kid: string): Promise<KeyChange> =>
  change(dependencies, async (ring, now) => {
    const { policy, generate } = dependencies;
    if (!ring.some(({ key }) => key.kid === kid)) throw new StartError(`there is no key ${JSON.stringify(kid)}`);
    const active = activeEntry(ring, now);
    if (active.key.kid !== kid) return { ring: withoutKey(ring, kid) ?? ring, successor: active.key };
    const pending = pendingEntry(ring, now);
    const next = pending?.key ?? (await generate(policy.algorithm));
    const followed = pending
      ? withEarlierStart(ring, pending, now)
      : withSuccessor(ring, { key: next, createdAt: now, signsFrom: now }, policy);
    return { ring: withoutKey(followed, kid) ?? followed, successor: next };
  });

/**
 * Removes a key that leaked, and always lets another key sign from now on: a resource server that meets the unknown key reads the key
 * set again, and no longer finds the removed one.
 */
export const end = (dependencies: KeyChangeDependencies, kid: string): Promise<KeyChange> =>
  change(dependencies, async (ring, now) => {
    const { policy, generate } = dependencies;
    if (!ring.some(({ key }) => key.kid === kid)) throw new StartError(`there is no key ${JSON.stringify(kid)}`);
    const pending = pendingEntry(ring, now);
    const isUsable = pending !== undefined && pending.key.kid !== kid;
    const next = isUsable ? pending.key : await generate(policy.algorithm);
    const followed = isUsable
      ? withEarlierStart(ring, pending, now)
      : withSuccessor(ring, { key: next, createdAt: now, signsFrom: now }, policy);
    return { ring: withoutKey(followed, kid) ?? followed, successor: next };
  });

/** Seconds until every process has read a change: one poll interval, another for a slow poll, and one second for rounding. */
export const noticedAfter = ({ poll }: KeyPolicy): number => 2 * poll + 1;

function refusePending(ring: Keyring, now: number): void {
  const pending = pendingEntry(ring, now);
  if (!pending) return;
  throw new StartError(`the key ${pending.key.kid} is already pending; rotate --now makes it sign, retire removes it`);
}

type Decide = (ring: Keyring, now: number) => Promise<Omit<KeyChange, 'now'>>;

/** Decides again if a running server changed the keyring first. */
async function change({ store, policy, clock, generate }: KeyChangeDependencies, decide: Decide): Promise<KeyChange> {
  for (;;) {
    const now = seconds(clock);
    const stored = (await store.load()) ?? (await store.create(newKeyring(await generate(policy.algorithm), now)));
    const { ring, successor } = await decide(stored.ring, now);
    const after = maintained(ring, policy, now);
    if (await store.replace(stored, after)) return { ring: after, now, successor };
  }
}
