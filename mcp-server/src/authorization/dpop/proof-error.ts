/** Owns why a DPoP proof is refused: precise for the log, while the wire has but two words for it (RFC 9449 §7.1, §9). */
import type { Finding } from '../finding.ts';

export type ProofReason =
  | 'proof_missing'
  | 'proof_malformed'
  | 'proof_type'
  | 'proof_algorithm'
  | 'proof_key'
  | 'proof_method'
  | 'proof_url'
  | 'proof_of_another_token'
  | 'proof_signature'
  | 'proof_used_twice'
  /** A nonce is wanted, or another one: the client is given one and tries again. */
  | 'nonce_wanted'
  /** Not the proof's fault: whether it was used before, or what the nonces are sealed with, can't be found out now. */
  | 'replays_unknown';

interface Details {
  readonly cause?: unknown;
  /** For the next attempt. */
  readonly nonce?: string;
  readonly finding?: Finding;
}

export class ProofError extends Error {
  override readonly name = 'ProofError';
  readonly reason: ProofReason;
  readonly nonce: string | undefined;
  readonly finding: Finding;

  constructor(reason: ProofReason, { cause, nonce, finding = {} }: Details = {}) {
    super(reason, { cause });
    this.reason = reason;
    this.nonce = nonce;
    this.finding = finding;
  }
}
