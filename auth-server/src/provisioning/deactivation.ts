/**
 * Owns the gate that refuses a person whom the provider has deactivated: at a new sign-in, for a browser session, and at each
 * refresh, which ends the grant.
 */
import type { Gate } from '../access/gate.ts';
import type { Account } from '../federation/account.ts';
import type { RecordStore } from '../storage/record-store.ts';
import { retried } from './retried.ts';
import { createSubjects, type SubjectRecord, type Subjects } from './subjects.ts';

/** When the provider deactivated a person, in seconds since the epoch; `undefined` if it did not. */
export async function deactivatedAt(
  connector: string,
  subject: string,
  store: RecordStore,
): Promise<number | undefined> {
  const record = await createSubjects(connector, store).read(subject);
  return record?.active === false ? record.changedAt : undefined;
}

/** The record of a person who signs in or refreshes. If they are active, it gets their account. A change meanwhile may deactivate them. */
const signedIn = (subjects: Subjects, { accountId, identity }: Account): Promise<SubjectRecord | undefined> =>
  retried(async () => {
    const record = await subjects.read(identity.subject);
    const isNew = record?.active && record.accountId !== accountId;
    return isNew && !(await subjects.write(record, { ...record, accountId })) ? undefined : { done: record };
  });

export interface DeactivationGateOptions {
  /** Ids of the connectors with SCIM; persons of others cost no read. */
  readonly connectors: readonly string[];
  readonly store: RecordStore;
  /** Called for each refusal. */
  readonly onRefused: (account: Account) => Promise<void>;
  /** Called when somebody signs in of whom the provider has said nothing: nobody would hear of their deactivation. */
  readonly onUnknown: (account: Account) => void;
}

export function createDeactivationGate({ connectors, store, onRefused, onUnknown }: DeactivationGateOptions): Gate {
  const provisioned = new Map(connectors.map((connector) => [connector, createSubjects(connector, store)]));
  return async (account, occasion) => {
    const subjects = provisioned.get(account.connector);
    if (!subjects) return undefined;
    // Also at a refresh: the provider may have reported the person after the sign-in.
    const record = await (occasion === 'session'
      ? subjects.read(account.identity.subject)
      : signedIn(subjects, account));
    if (!record && occasion === 'sign-in') onUnknown(account);
    if (record?.active !== false) return undefined;
    await onRefused(account);
    const description = 'The identity provider has deactivated this account.';
    return { refusal: { reason: 'deactivated', description, isFinal: true } };
  };
}
