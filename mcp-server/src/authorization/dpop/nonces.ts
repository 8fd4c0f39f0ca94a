/**
 * Owns the nonces of DPoP proofs (RFC 9449 §8, §9): the time at which each was given out, sealed, so that any replica knows its
 * own again and none has to remember it.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { seal, unseal } from '../../keys/seal.ts';
import type { SealingKeys } from '../../keys/sealing-keys.ts';

export interface Nonces {
  /** One to give out. @throws Error when the keys are out of reach */
  current(): Promise<string>;
  /** When a proof with this nonce ends to be fresh, in milliseconds since the epoch; nothing for one that is not ours or over. */
  end(nonce: string): Promise<number | undefined>;
  /** Whether a client should be given another one. */
  isAgeing(end: number): boolean;
}

/** Milliseconds for which a proof may use a nonce. */
const LIFETIME = 300_000;

/** Milliseconds for which one and the same is given out. */
const RENEWAL = 60_000;

const CONTEXT = 'DPoP nonce';

export function createNonces(keys: SealingKeys, clock: Clock): Nonces {
  let latest = { nonce: '', at: Number.NEGATIVE_INFINITY };
  return {
    current: async () => {
      const now = clock.now();
      if (now - latest.at >= RENEWAL) latest = { nonce: await seal(keys, String(now), CONTEXT), at: now };
      return latest.nonce;
    },
    end: async (nonce) => {
      const end = Number(await unseal(keys, nonce, CONTEXT)) + LIFETIME;
      return end > clock.now() ? end : undefined;
    },
    isAgeing: (end) => end - clock.now() < LIFETIME - 2 * RENEWAL,
  };
}
