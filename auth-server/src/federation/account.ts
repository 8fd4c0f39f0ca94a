/** Owns what is remembered of a person who signed in: the local subject and the identity it stands for. */
import type { RecordStore } from '../storage/record-store.ts';
import type { Identity } from './connector.ts';
import { namesOnePerson } from './subject.ts';

/** A person here: `accountId` is the `sub` of every token. */
export interface Account {
  readonly accountId: string;
  readonly connector: string;
  readonly identity: Identity;
}

export interface Accounts {
  /** Remembers the newest identity; the lifetime starts anew. */
  save(account: Account): Promise<void>;
  /** Nobody where the identity does not name one person: who signed in with an empty subject once signs in anew. */
  find(accountId: string): Promise<Account | undefined>;
}

const KIND = 'Account';

/** @param ttl seconds that an account is remembered after its last sign-in; not less than a grant lives */
export const createAccounts = (store: RecordStore, ttl: number): Accounts => ({
  save: (account) => store.put(KIND, account.accountId, { ...account }, { ttl }),
  find: async (accountId) => {
    const account = (await store.get(KIND, accountId))?.value as Account | undefined;
    return account && namesOnePerson(account.identity) ? account : undefined;
  },
});
