/**
 * Owns the record of a subject: whether the provider of one connector says that this person is active. It is the only record that
 * decides, it is changed by compare-and-set, and it outlasts the user of the provider, so that a deactivation does too.
 */
import { createHash } from 'node:crypto';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { RecordStore } from '../storage/record-store.ts';

export interface SubjectRecord extends JsonObject {
  readonly externalId: string;
  readonly active: boolean;
  /** The user of the provider that is this person; absent if the provider has removed it. */
  readonly id?: string;
  /** The subject that this user was before, while it is not certain that the person before is deactivated. */
  readonly movedFrom?: string | undefined;
  /** HMAC of the name by which the provider looks the user up. */
  readonly userName?: string | undefined;
  /** The account of this person here, once they have signed in. */
  readonly accountId?: string | undefined;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly changedAt: number;
}

export interface Subjects {
  read(externalId: string): Promise<SubjectRecord | undefined>;
  readDigest(digest: string): Promise<SubjectRecord | undefined>;
  /** @returns false if another request has changed the record meanwhile */
  write(before: SubjectRecord | undefined, after: SubjectRecord): Promise<boolean>;
  /** Restarts the lifetime. */
  renew(record: SubjectRecord): Promise<void>;
}

const KIND = 'ScimSubject';
const DAY = 86_400;
/** A user that is active must be found when the provider ends it, possibly after years without a request. */
const LIFETIME = 3_650 * DAY;
const LIFETIME_OF_DEACTIVATION = 400 * DAY;

/** Seconds from the last request of the provider about this person. */
export const lifetimeOf = ({ active }: Pick<SubjectRecord, 'active'>): number =>
  active ? LIFETIME : LIFETIME_OF_DEACTIVATION;

/** A key of limited length for a subject. */
export const digestOf = (externalId: string): string => createHash('sha256').update(externalId).digest('base64url');

export function createSubjects(connector: string, store: RecordStore): Subjects {
  const readDigest = async (digest: string) =>
    (await store.get(KIND, `${connector}:${digest}`))?.value as SubjectRecord | undefined;
  const keyOf = ({ externalId }: SubjectRecord) => `${connector}:${digestOf(externalId)}`;
  return {
    read: (externalId) => readDigest(digestOf(externalId)),
    readDigest,
    write: (before, after) => {
      const ttl = lifetimeOf(after);
      return before
        ? store.replace(KIND, keyOf(after), { before, after, ttl })
        : store.putIfAbsent(KIND, keyOf(after), after, { ttl });
    },
    renew: (record) => store.touch(KIND, keyOf(record), lifetimeOf(record)),
  };
}
