/** Owns what is stored about a person who signed in: the local subject and the identity behind it. */
import type { RecordStore } from '../storage/record-store.ts';
import type { Identity } from './connector.ts';
import { namesOnePerson } from './subject.ts';

/** An account: `accountId` is the `sub` of every token. */
export interface Account {
  readonly accountId: string;
  readonly connector: string;
  readonly identity: Identity;
  /** The last sign-in, in seconds since the epoch. Absent: it was before this was stored. */
  readonly signedInAt?: number | undefined;
  /** When the upstream last confirmed the person, in seconds since the epoch. Absent: nobody asks it again. */
  readonly checkedAt?: number | undefined;
  /** Known from an ID-JAG alone, without any sign-in: the next ID-JAG replaces what is known. */
  readonly isAsserted?: boolean | undefined;
  /** Why the upstream has refused the person since the sign-in, for the log. */
  readonly denied?: string | undefined;
}

export interface Accounts {
  /** Stores the identity of a sign-in and restarts the lifetime. */
  save(account: Account): Promise<void>;
  /** Stores an account unless there is one. @returns whether it was written */
  add(account: Account): Promise<boolean>;
  /**
   * The same, but only if the stored account is unchanged.
   * @param before as `find` returned it
   * @returns whether it was written
   */
  replace(before: Account, after: Account): Promise<boolean>;
  /** `undefined` if the stored identity does not name one person, such as an empty subject: the person then signs in again. */
  find(accountId: string): Promise<Account | undefined>;
}

const KIND = 'Account';

/** @param ttl seconds that an account is stored after its last sign-in; at least the lifetime of a grant */
export const createAccounts = (store: RecordStore, ttl: number): Accounts => ({
  save: (account) => store.put(KIND, account.accountId, { ...account }, { ttl }),
  add: (account) => store.putIfAbsent(KIND, account.accountId, { ...account }, { ttl }),
  replace: (before, after) => {
    const [from, to] = [{ ...before }, { ...after }];
    return store.replace(KIND, before.accountId, { before: from, after: to, ttl });
  },
  find: async (accountId) => {
    const account = (await store.get(KIND, accountId))?.value as Account | undefined;
    return account && namesOnePerson(account.identity) ? account : undefined;
  },
});
