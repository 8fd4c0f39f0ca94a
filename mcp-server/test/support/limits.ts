/** Owns the limits of tests that are about something else. */
import { Allowance, type AllowanceLimits } from '../../src/allowance/allowance.ts';

const ALLOWANCE_LIMITS: AllowanceLimits = {
  maxMessageBytes: 1_048_576,
  maxMessageElements: 20_000,
  maxBatchMessages: 100,
  maxAnswerBytes: 4_194_304,
  maxCallsPerSession: 200,
  maxCallsPerPrincipal: 1_000,
  maxBytesPerPrincipal: 33_554_432,
};

export const allowance = (limits: Partial<AllowanceLimits> = {}): Allowance =>
  new Allowance({ limits: { ...ALLOWANCE_LIMITS, ...limits } });
