/** Owns the answer of status lists for tests of what does not depend on them. */
import type { Revocations } from '../../src/authorization/status/reference.ts';

export const NOTHING_REVOKED: Revocations = { isRevoked: () => false, learn: () => undefined };
