/** Owns the form of an explanation, and what it needs besides the token. */
import type { Principal } from '../../authorization/principal.ts';
import { CHECKS, type Check } from './check.ts';

export interface Explanation {
  readonly checks: readonly Check[];
  /** Whom the token names; absent if it is refused. */
  readonly principal?: Principal | undefined;
}

export interface Way {
  /** Whether no issuer is asked, so that the signature of a JWT is not checked. */
  readonly offline: boolean;
  /** Why an issuer did not answer. */
  readonly whyUnavailable: () => string | undefined;
}

export const HIDES = 'what comes after this check was not checked';

/** @param principal whom the token names, if nothing is refused */
export function explained(checks: readonly Check[], principal: Principal | undefined): Explanation {
  const ordered = checks.toSorted((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
  const isRefused = checks.some(({ result }) => result === 'refused');
  return { checks: ordered, principal: isRefused ? undefined : principal };
}
