/** Owns the options of jose for the claims of an access token, whichever way they were received: the times, with `exp` always needed. */
import type { TokenRules } from './rules.ts';

/** @param now seconds since the epoch */
export const claimChecks = ({ clockTolerance }: Pick<TokenRules, 'clockTolerance'>, now: number) => ({
  clockTolerance,
  currentDate: new Date(now * 1000),
  requiredClaims: ['exp'],
});
