/**
 * Owns the nonces of DPoP proofs (RFC 9449 §8, §9): each is its sealed time of issue, so that any replica can check
 * it, and none stores it.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { seal, unseal } from '../../keys/seal.ts';
import type { SealingKeys } from '../../keys/sealing-keys.ts';

export interface Nonces {
  /** The nonce to send to clients. @throws Error when the keys are unavailable */
  current(): Promise<string>;
  /** When a proof with this nonce expires, in milliseconds since the epoch; nothing for an unknown or expired nonce. */
  end(nonce: string): Promise<number | undefined>;
  /** Whether the client should get a new nonce. */
  isAgeing(end: number): boolean;
}

/** Milliseconds for which a proof may use a nonce. */
const LIFETIME = 300_000;

/** Milliseconds for which the same nonce is issued. */
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
