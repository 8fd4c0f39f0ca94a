/** Owns the keys of a server at start: they are read or made, and followed from then on. */
import type { Audit } from '@mcp-oauth/shared/audit/entry';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { RecordStore } from '../storage/record-store.ts';
import { followKeyring, keepFollowing } from './follow.ts';
import { createKeyStore, type Keys, openCookieKeys, openKeyring } from './key-store.ts';
import { type KeyPolicy, publishedKeys } from './keyring.ts';
import { generateSigningKey, type SigningKeys } from './signing-key.ts';

export interface OpenKeysDependencies {
  readonly store: RecordStore;
  readonly policy: KeyPolicy;
  readonly clock: Clock;
  readonly log: Logger;
  readonly audit?: Audit | undefined;
}

export interface OpenedKeys extends Keys {
  /** Reports every later set of signing keys. @returns a function that stops it */
  follow(onChange: (signing: SigningKeys) => void): () => Promise<void>;
}

export async function openKeys({ store, policy, clock, log, audit }: OpenKeysDependencies): Promise<OpenedKeys> {
  const keyStore = createKeyStore(store);
  const ring = await openKeyring(keyStore, clock, () => generateSigningKey(policy.algorithm));
  return {
    signing: publishedKeys(ring, seconds(clock)),
    cookies: await openCookieKeys(store, clock),
    follow: (onChange) => {
      const follower = followKeyring(ring, {
        store: keyStore,
        policy,
        clock,
        log,
        audit,
        generate: generateSigningKey,
        onChange,
      });
      return keepFollowing(follower);
    },
  };
}
