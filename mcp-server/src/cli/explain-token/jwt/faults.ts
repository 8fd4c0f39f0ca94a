/**
 * Owns how all faults of a token are found by a verifier that names only the first: the part that was refused is replaced by one that
 * the refusal itself calls right, and the token is checked again.
 */
import type { Principal } from '../../../authorization/principal.ts';
import { type TokenRules, UNTYPED } from '../../../authorization/token/rules.ts';
import { TokenError } from '../../../authorization/token-error.ts';
import type { DecodedToken } from './stand-in.ts';

export interface Found {
  /** In the order of the verifier. */
  readonly faults: readonly TokenError[];
  /** Whom the token would name if its faults were mended; absent: a fault hides the rest of the token. */
  readonly principal?: Principal;
}

interface Context {
  readonly verify: (decoded: DecodedToken) => Promise<Principal>;
  readonly rulesOf: (issuer: unknown) => TokenRules | undefined;
  /** Seconds since the epoch. */
  readonly now: number;
}

export async function findFaults(decoded: DecodedToken, context: Context): Promise<Found> {
  const faults: TokenError[] = [];
  const seen = new Set<string>();
  for (let current: DecodedToken | undefined = decoded; current; ) {
    const result: Principal | TokenError = await verdict(context.verify(current));
    if (!(result instanceof TokenError)) return { faults, principal: result };
    const { claim, header, expected } = result.finding;
    const name = JSON.stringify([result.reason, claim, header, expected]);
    if (seen.has(name)) break;
    seen.add(name);
    faults.push(result);
    current = mended(current, result, context);
  }
  return { faults };
}

/** What a check found; another error than a TokenError is thrown. */
export const verdict = (check: Promise<Principal>): Promise<Principal | TokenError> =>
  check.catch((error: unknown) => {
    if (error instanceof TokenError) return error;
    throw error;
  });

/** Seconds. */
const LIFETIME = 600;

/** @returns nothing for a fault that no other value mends */
function mended(
  decoded: DecodedToken,
  { reason, finding }: TokenError,
  { rulesOf, now }: Context,
): DecodedToken | undefined {
  const { claim, header, expected } = finding;
  const right = Array.isArray(expected) ? expected[0] : undefined;
  if (header !== undefined) {
    const value = header === 'typ' && right === UNTYPED ? undefined : right;
    return { ...decoded, header: { ...decoded.header, [header]: value } };
  }
  const having = (name: string, value: unknown): DecodedToken => ({
    ...decoded,
    claims: { ...decoded.claims, [name]: value },
  });
  if (claim === undefined) return undefined;
  if (claim === 'exp') return having('exp', now + LIFETIME);
  switch (reason) {
    case 'wrong_issuer':
      return typeof expected === 'string' ? having('iss', expected) : undefined;
    case 'wrong_audience':
    case 'no_audience':
      return having('aud', rulesOf(decoded.claims.iss)?.audiences[0]);
    case 'missing_claim':
      return having(claim, 'stand-in');
    case 'wrong_claim':
      return having(claim, right);
    default:
      return having(claim, undefined);
  }
}
