/**
 * Owns the check of a signed introspection answer (RFC 9701 §5): a JWT of the issuer for this server, by the keys that also verify its
 * access tokens.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { isObject } from '@mcp-oauth/shared/json';
import { decodeProtectedHeader } from 'jose';
import type { KeySource } from '../issuer/key-source.ts';
import type { TokenRules } from '../token/rules.ts';
import { verifiedBy } from '../token/verified-by.ts';

export const SIGNED = 'application/token-introspection+jwt';

/** Seconds after which an answer is not used any more: an old one would undo a revocation. */
const OLDEST = 60;

export interface SignedAnswerOptions {
  readonly rules: Pick<TokenRules, 'algorithms' | 'clockTolerance'>;
  /** As the metadata names the issuer. */
  readonly issuer: string;
  readonly clientId: string;
  readonly keySource: Pick<KeySource, 'candidates'>;
  readonly clock: Clock;
}

/** @throws Error if it is not such an answer */
export async function openSigned(text: string, options: SignedAnswerOptions): Promise<unknown> {
  const { rules, issuer, clientId, keySource, clock } = options;
  const { alg, kid } = decodeProtectedHeader(text);
  if (typeof alg !== 'string' || !rules.algorithms.includes(alg)) throw new Error(`the answer is signed by ${alg}`);
  const payload = await verifiedBy(text, keySource.candidates({ alg, kid }), {
    algorithms: [...rules.algorithms],
    typ: 'token-introspection+jwt',
    issuer,
    audience: clientId,
    maxTokenAge: OLDEST,
    clockTolerance: rules.clockTolerance,
    currentDate: new Date(clock.now()),
  });
  const { token_introspection: answer } = payload;
  if (!isObject(answer)) throw new Error('the answer has no token_introspection');
  return answer;
}
