/**
 * Owns the decisions of re-checks as pure functions: whether the upstream has to be asked about a person, what its record becomes
 * with each answer, and whether a refresh may go on without one.
 */
import type { Account } from '../federation/account.ts';
import type { UpstreamReason, UpstreamSession } from '../federation/connector.ts';
import type { VaultRecord } from './vault.ts';

/** All in seconds. */
export interface Times {
  /** How old an answer of the upstream may be. */
  readonly every: number;
  /** How long refreshes go on without an answer. */
  readonly grace: number;
}

/** Seconds after which another process may ask, because the one that asks has stopped. No answer takes as long. */
const LEASE = 60;

/** Seconds before its end in which an access token is not used any more. */
const MARGIN = 5;

/** Whether the last answer about this person is recent enough. */
export const isFresh = ({ checkedAt }: Account, now: number, { every }: Times): boolean =>
  checkedAt !== undefined && now - checkedAt < every;

/** Whether the upstream can be asked: with a refresh token, or with an access token that has not expired. */
export const isAskable = (session: UpstreamSession | undefined, now: number): session is UpstreamSession =>
  session !== undefined &&
  (session.refreshToken !== undefined ||
    (session.accessToken !== undefined && (session.expiresAt === undefined || session.expiresAt > now + MARGIN)));

export type Standing =
  | 'due' // nobody is asking, and nobody has asked recently
  | 'running' // another request is asking at this moment
  | 'failing' // asked recently without an answer, and the grace is not over
  | 'over'; // asked recently without an answer, and the grace is over

/** @param record of a person whose last answer is not fresh */
export function standingOf(record: VaultRecord, now: number, times: Times): Standing {
  if (record.lease !== undefined && record.lease > now) return 'running';
  if (record.failingSince === undefined || now - record.askedAt >= times.every) return 'due';
  return isOver(record, now, times) ? 'over' : 'failing';
}

/** Whether the person has to sign in again, because the upstream has given no answer for too long. */
export const isOver = ({ failingSince }: VaultRecord, now: number, { grace }: Times): boolean =>
  failingSince !== undefined && now - failingSince >= grace;

/** Whether the next authorization needs a new sign-in at the upstream. Refreshes go on until the grace is over. */
export const needsSignIn = (record: VaultRecord, now: number, times: Times): boolean =>
  record.hasEnded === true || isOver(record, now, times);

export const asking = (record: VaultRecord, now: number): VaultRecord => ({ ...record, lease: now + LEASE });

/** Answered, at a sign-in or later: `session` absent if the upstream refuses the person, so that it is not asked about them again. */
export const answered = (session: UpstreamSession | undefined, now: number): VaultRecord => ({ session, askedAt: now });

export const unanswered = (record: VaultRecord, now: number, reason: UpstreamReason | undefined): VaultRecord => ({
  ...record,
  hasEnded: reason === 'ended' ? true : record.hasEnded,
  askedAt: now,
  failingSince: record.failingSince ?? now,
  lease: undefined,
});
