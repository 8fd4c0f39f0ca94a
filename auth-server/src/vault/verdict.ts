/** Owns what a refresh learns about a person from what is stored: that the last answer is fresh, or why the person is refused. */
import type { AccessRefusal } from '../access/gate.ts';
import type { Account } from '../federation/account.ts';
import type { VaultRecord } from './record.ts';
import { denied, ENDED, NO_ANSWER } from './refusals.ts';
import { isFresh, isOver, type Times } from './standing.ts';

/** Empty: the refresh goes on with the last answer. */
export interface Verdict {
  readonly account?: Account;
  readonly refusal?: AccessRefusal;
}

/** @returns `undefined` if the last answer is too old */
export function known(account: Account, now: number, times: Times): Verdict | undefined {
  if (account.denied !== undefined) return { refusal: denied(account.denied) };
  return isFresh(account, now, times) ? { account } : undefined;
}

/** The record of a person who was once confirmed has expired. Nobody has ever asked about others, such as those of an earlier version. */
export const withoutRecord = ({ checkedAt }: Account): Verdict | undefined =>
  checkedAt === undefined ? undefined : ENDED;

/** @param record after a question without an answer, or while nobody can ask */
export const withoutAnswer = (record: VaultRecord, now: number, times: Times): Verdict =>
  isOver(record, now, times) ? NO_ANSWER : {};
