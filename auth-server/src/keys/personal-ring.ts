/**
 * Owns the key ring of personal tokens at a running server: it is followed like the ring of the engine, but the engine never gets it.
 * Only the public parts leave this file for /jwks, and one key signs, so no other token can be signed with these keys (ADR 9).
 */
import { seconds } from '@mcp-oauth/shared/clock';
import type { JWK } from 'jose';
import { followKeyring, keepFollowing } from './follow.ts';
import { createKeyStore, openKeyring } from './key-store.ts';
import { publishedKeys } from './keyring.ts';
import type { OpenKeysDependencies } from './open.ts';
import { generateSigningKey, publicPart, type SigningKey } from './signing-key.ts';

export interface PersonalRing {
  /** The key that signs now. */
  signing(): SigningKey;
  /** Public parts of all keys that verify. */
  published(): readonly JWK[];
  /** Grows whenever the published keys change. */
  revision(): number;
  /** Reads and changes the ring in the background. @returns a function that stops it */
  follow(): () => Promise<void>;
}

export async function openPersonalRing({
  store,
  policy,
  clock,
  log,
  audit,
}: OpenKeysDependencies): Promise<PersonalRing> {
  const keyStore = createKeyStore(store, 'personal');
  const ring = await openKeyring(keyStore, clock, () => generateSigningKey(policy.algorithm));
  let keys = publishedKeys(ring, seconds(clock));
  let published = keys.map(publicPart);
  let revision = 0;
  return {
    signing: () => keys[0],
    published: () => published,
    revision: () => revision,
    follow: () => {
      const follower = followKeyring(ring, {
        store: keyStore,
        policy,
        clock,
        log: log.child({ ring: 'personal' }),
        audit,
        generate: generateSigningKey,
        onChange: (changed) => {
          keys = changed;
          published = keys.map(publicPart);
          revision += 1;
        },
      });
      return keepFollowing(follower);
    },
  };
}
