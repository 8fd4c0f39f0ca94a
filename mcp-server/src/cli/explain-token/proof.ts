/**
 * Owns the check of a DPoP proof (RFC 9449) that was recorded with the token: by the verifier of the server, as of the time at which the
 * proof was made. What only the running server knows is left out: its nonces, and which proofs were used.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { decodeJwt } from 'jose';
import type { Nonces } from '../../authorization/dpop/nonces.ts';
import { createProofVerifier } from '../../authorization/dpop/proof.ts';
import { ProofError, type ProofReason } from '../../authorization/dpop/proof-error.ts';
import { type Finding, shownTime } from '../../authorization/finding.ts';
import { type Mend, REFUSALS } from '../../authorization/token/refusals.ts';
import { TokenError } from '../../authorization/token-error.ts';
import { type Check, mendBy, textOf } from './check.ts';
import { type Explanation, explained } from './explanation.ts';
import type { Inspection } from './inspection.ts';

/** A request that came with the proof. */
export interface RecordedRequest {
  /** The value of the header `DPoP`. */
  readonly proof: string;
  readonly method: string;
  readonly url: string;
}

const CORRECT = 'Correct the client.';

/** What is not here cannot come of a recorded proof. */
const MENDS: Readonly<Partial<Record<ProofReason, Mend>>> = {
  proof_malformed: {
    meaning: 'It is no proof: not a JWT, too long, or without jti, iat, htm or htu.',
    there: CORRECT,
    here: '',
  },
  proof_type: { meaning: 'Its header typ is not dpop+jwt.', there: CORRECT, here: '' },
  proof_algorithm: {
    meaning: 'It is signed by a secret, or by an algorithm that is not accepted.',
    there: 'Sign it with ES256.',
    here: '',
  },
  proof_key: { meaning: 'It has no public key in its header, or a private one.', there: CORRECT, here: '' },
  proof_method: { meaning: 'It is for another method.', there: 'Make a proof for each request.', here: '' },
  proof_url: {
    meaning: 'It is for another URL.',
    there: 'Make a proof for each request.',
    here: 'Set PUBLIC_URL as clients know this server, and have no proxy change the path.',
  },
  proof_of_another_token: { meaning: 'Its ath is not the hash of this token.', there: CORRECT, here: '' },
  proof_signature: { meaning: 'Its signature does not fit its key.', there: CORRECT, here: '' },
  nonce_wanted: {
    meaning: 'It has no nonce: the server answers 401 with one.',
    there: 'Repeat the request with the nonce of the header DPoP-Nonce.',
    here: 'Set DPOP_NONCE_REQUIRED=false to accept proofs without one.',
  },
};
const UNKNOWN: Mend = { meaning: 'It is refused.', there: CORRECT, here: '' };

export async function withProof(
  explanation: Explanation,
  token: string,
  recorded: RecordedRequest,
  { config, clock }: Inspection,
): Promise<Explanation> {
  const { checks, principal } = explanation;
  const having = (check: Omit<Check, 'check'>) => explained([...checks, { check: 'proof', ...check }], principal);
  if (!principal) return having({ result: 'unchecked', note: 'the token is not accepted, with or without the proof' });
  if (principal.keyThumbprint === undefined) {
    return having({ ...mendBy('not_bound', REFUSALS.not_bound, same), claim: 'cnf', found: 'nothing' });
  }
  const madeAt = timeOf(recorded.proof, clock);
  const verify = createProofVerifier({
    nonces: anyNonce(madeAt),
    nonceRequired: config.dpopNonceRequired,
    replays: { firstUse: async () => true },
    clock: { now: () => madeAt },
    clockTolerance: config.clockTolerance,
  });
  try {
    await verify({ ...recorded, token, principal });
  } catch (error) {
    if (error instanceof TokenError) return having(refused(error.reason, REFUSALS[error.reason], error.finding));
    if (error instanceof ProofError)
      return having(refused(error.reason, MENDS[error.reason] ?? UNKNOWN, error.finding));
    throw error;
  }
  const note = `as of ${shownTime(madeAt / 1000)}, when it was made: a proof is accepted for a minute, and once. Its nonce, if it has one, was not checked`;
  return having({ result: 'accepted', found: `for ${recorded.method} ${recorded.url}`, note });
}

const same = (name: string): string => name;

const refused = (reason: string, mend: Mend, { expected, found, ...finding }: Finding): Omit<Check, 'check'> => ({
  ...mendBy(reason, mend, same),
  ...finding,
  expected: textOf(expected),
  found: textOf(found),
});

/** Milliseconds; a later second is no date. */
const LATEST = 8.64e15;

/** When the proof was made, if it says so; otherwise now. */
function timeOf(proof: string, clock: Clock): number {
  try {
    const { iat = 0 } = decodeJwt(proof);
    return iat > 0 && iat * 1000 < LATEST ? iat * 1000 : clock.now();
  } catch {
    return clock.now();
  }
}

const anyNonce = (now: number): Nonces => ({
  current: async () => '',
  end: async () => now + 1,
  isAgeing: () => false,
});
