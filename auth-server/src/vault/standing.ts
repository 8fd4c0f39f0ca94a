/** Owns what a re-check decides by time alone: whether an answer is fresh, whether somebody has to ask, and whether the grace is over. */
import type { Account } from '../federation/account.ts';
import type { VaultRecord } from './record.ts';

/** All in seconds. */
export interface Times {
  /** How old an answer of the upstream may be. */
  readonly every: number;
  /** How long refreshes go on without an answer. */
  readonly grace: number;
}

/** Whether the last answer about this person is recent enough. */
export const isFresh = ({ checkedAt }: Account, now: number, { every }: Times): boolean =>
  checkedAt !== undefined && now - checkedAt < every;

export type Standing =
  | 'due' // nobody is asking, and nobody has asked recently
  | 'running' // another request is asking at this moment
  | 'failing' // asked recently without an answer, and the grace is not over
  | 'over'; // asked recently without an answer, and the grace is over

/** @param record of a person whose last answer is not fresh */
export function standingOf(record: VaultRecord, now: number, times: Times): Standing {
  if (record.lease !== undefined && record.lease > now) return 'running';
  if (record.failingSince === undefined || now - (record.askedAt ?? 0) >= times.every) return 'due';
  return isOver(record, now, times) ? 'over' : 'failing';
}

/** Whether the person has to sign in again, because the upstream has given no answer for too long. */
export const isOver = ({ failingSince }: VaultRecord, now: number, { grace }: Times): boolean =>
  failingSince !== undefined && now - failingSince >= grace;

/** Whether the next authorization needs a new sign-in at the upstream. Refreshes go on until the grace is over. */
export const needsSignIn = (record: VaultRecord, now: number, times: Times): boolean =>
  record.hasEnded === true || isOver(record, now, times);
