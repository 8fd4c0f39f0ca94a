/**
 * Owns how a running process follows the keyring: it polls the store, takes the step that is due unless another process has taken
 * it, and reports each change of the key set, which happens at the same time in every process.
 */
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { KeyStore, StoredKeyring } from './key-store.ts';
import {
  isSuccessorDue,
  type KeyPolicy,
  type Keyring,
  maintained,
  nextChange,
  publishedKeys,
  withSuccessor,
} from './keyring.ts';
import type { Algorithm, SigningKey, SigningKeys } from './signing-key.ts';

export interface FollowDependencies {
  readonly store: KeyStore;
  readonly policy: KeyPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit?: Audit | undefined;
  readonly generate: (algorithm: Algorithm) => Promise<SigningKey>;
  /** Called when the key set changes; the first key signs. If it throws, the previous set stays in use. */
  readonly onChange: (keys: SigningKeys) => void;
}

export interface KeyringFollower {
  /** Takes the step that is due. Never fails, and changes nothing while the store is unavailable. */
  step(): Promise<void>;
  /** Milliseconds until the next step. */
  wait(): number;
}

export function followKeyring(initial: Keyring, dependencies: FollowDependencies): KeyringFollower {
  const { store, policy, clock, log, audit, onChange } = dependencies;
  let ring = initial;
  let published = namesOf(publishedKeys(ring, seconds(clock)));
  let reachable = true;

  /** Uses the clock only, so that a key starts to sign in time even if the store does not answer. */
  const apply = (): void => {
    const keys = publishedKeys(ring, seconds(clock));
    if (namesOf(keys) === published) return;
    onChange(keys);
    published = namesOf(keys);
    const details = { kid: keys[0].kid, published: keys.map(({ kid }) => kid) };
    log.info(details, 'signing keys changed');
    audit?.({ event: 'key.changed', outcome: 'ok', details });
  };
  const read = async (): Promise<void> => {
    // If the store was emptied, running processes write their keys back.
    const stored = (await store.load()) ?? (await store.create(ring));
    ring = stored.ring;
    ring = await advance(stored, dependencies);
  };

  const report = (err: unknown): void => {
    if (err && reachable) log.error({ err }, 'signing keys could not be updated');
    if (!err && !reachable) log.info('signing keys are updated again');
    reachable = !err;
  };

  return {
    step: async () => {
      await failureOf(apply);
      // An unusable key set must not prevent reading the next one.
      report((await failureOf(read)) ?? (await failureOf(apply)));
    },
    wait: () => {
      const change = nextChange(ring, seconds(clock)) ?? Number.POSITIVE_INFINITY;
      return Math.max(0, Math.min(policy.poll * 1000, change * 1000 - clock.now()));
    },
  };
}

async function failureOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

const namesOf = (keys: SigningKeys): string => keys.map(({ kid }) => kid).join(' ');

/** Takes the step that is due. @returns the keyring in the store after it, as far as this process knows */
async function advance(
  stored: StoredKeyring,
  { store, policy, clock, log, audit, generate }: FollowDependencies,
): Promise<Keyring> {
  const now = seconds(clock);
  let ring = maintained(stored.ring, policy, now);
  const successor = isSuccessorDue(ring, policy, now) ? await generate(policy.algorithm) : undefined;
  const signsFrom = now + policy.lead;
  if (successor) ring = withSuccessor(ring, { key: successor, createdAt: now, signsFrom }, policy);
  if (JSON.stringify(ring) === JSON.stringify(stored.ring)) return stored.ring;
  if (!(await store.replace(stored, ring))) return (await store.load())?.ring ?? stored.ring;
  if (successor) {
    const details = { kid: successor.kid, algorithm: successor.alg, signsIn: policy.lead };
    log.info(details, 'signing key published');
    audit?.({ event: 'key.published', outcome: 'ok', details });
  }
  return ring;
}

/** Takes one step after the other. @returns a function that stops it after the current step */
export function keepFollowing(follower: KeyringFollower): () => Promise<void> {
  let running = Promise.resolve();
  let timer = setTimeout(run, follower.wait());
  function run(): void {
    const again = (): void => {
      timer = setTimeout(run, follower.wait()).unref();
    };
    running = follower.step().then(again, again);
  }
  timer.unref();
  return async () => {
    clearTimeout(timer);
    await running;
    clearTimeout(timer);
  };
}
