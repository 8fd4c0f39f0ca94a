/**
 * Owns the reasons why a DPoP proof is refused: precise in the log, while the client gets one of two errors (RFC
 * 9449 §7.1, §9).
 */
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
  /** The proof needs a nonce, or a newer one: the client gets it and tries again. */
  | 'nonce_wanted'
  /** Not an error of the proof: the memory of used proofs, or the keys of the nonces, are unavailable. */
  | 'replays_unknown';

interface Details {
  readonly cause?: unknown;
  /** The nonce for the next attempt. */
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
