/**
 * Owns the refusal of approvals that a logout at the upstream has ended. It exists only where a connector is set up so: refresh
 * tokens for offline use normally outlive a logout (OpenID Connect Back-Channel Logout 1.0 §2.7).
 */
import type { Gate } from '../access/gate.ts';
import { hasEnded } from './clocks.ts';
import type { SignedOut } from './signed-out.ts';

const REFUSAL = {
  reason: 'the approval ended with a logout at the identity provider',
  description: 'the user signed out at the identity provider and must approve again',
  isFinal: true,
} as const;

export const createLogoutGate =
  ({ approvalsEndedAt }: Pick<SignedOut, 'approvalsEndedAt'>): Gate =>
  async ({ accountId }, occasion, approvedAt) => {
    if (occasion !== 'token' || approvedAt === undefined) return undefined;
    return hasEnded(approvedAt, await approvalsEndedAt(accountId)) ? { refusal: REFUSAL } : undefined;
  };
