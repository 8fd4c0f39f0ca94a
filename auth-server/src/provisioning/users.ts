/**
 * Owns the users of the provider of one connector (RFC 7644 §3): created, found, changed, removed and listed. A user is matched by
 * its `externalId`, which is the subject of the person at the upstream, and by nothing else.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { RecordStore } from '../storage/record-store.ts';
import type { UserChanges } from './attributes.ts';
import { createDirectory } from './directory.ts';
import type { UserFilter } from './filter.ts';
import { createPointers, type NameKeys } from './pointers.ts';
import { retried } from './retried.ts';
import { createSubjects, digestOf, lifetimeOf, type SubjectRecord } from './subjects.ts';

export type User = SubjectRecord & { readonly id: string };

export interface Change {
  readonly user: User;
  /** What was known of the subject before; absent: nothing. */
  readonly wasActive: boolean | undefined;
}

interface NewUser extends UserChanges {
  readonly externalId: string;
}

interface UserPage {
  readonly total: number;
  readonly users: readonly User[];
}

export interface Users {
  /** @throws HttpError 409 if there is a user for this subject (RFC 7644 §3.3) */
  create(user: NewUser): Promise<Change>;
  /** Restarts the lifetime of the user that it finds. */
  find(id: string): Promise<User | undefined>;
  findBy(filter: UserFilter): Promise<User | undefined>;
  /** @throws HttpError 404 or 409 */
  change(id: string, changes: UserChanges): Promise<Change>;
  /** The subject is deactivated from then on. @throws HttpError 404 */
  remove(id: string): Promise<Change>;
  /** @param startIndex of the first user, from 1 */
  list(page: { readonly startIndex: number; readonly count: number }): Promise<UserPage>;
}

export interface UsersDependencies {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly nameKeys: NameKeys;
  /** Called when the provider deactivates a person who has an account here. */
  readonly onDeactivated: (accountId: string) => Promise<void>;
}

const isUser = (record: SubjectRecord | undefined): record is User => record?.id !== undefined;

export function createUsers(connector: string, dependencies: UsersDependencies): Users {
  const { store, clock, nameKeys, onDeactivated } = dependencies;
  const subjects = createSubjects(connector, store);
  const pointers = createPointers(connector, store, nameKeys);
  const exists = async (digest: string) => (await subjects.readDigest(digest)) !== undefined;
  const directory = createDirectory(store, { connector, exists });
  const enter = ({ externalId }: Pick<User, 'externalId'>) => directory.set(digestOf(externalId), 'user');

  async function read(id: string): Promise<User | undefined> {
    const externalId = await pointers.subjectOf(id);
    const record = externalId === undefined ? undefined : await subjects.read(externalId);
    return isUser(record) && record.id === id ? record : undefined;
  }

  async function findByName(userName: string): Promise<User | undefined> {
    for (const { id, hash } of await pointers.idsOf(userName)) {
      const user = await read(id);
      if (user?.userName === hash) return user;
    }
    return undefined;
  }

  async function findByExternalId(externalId: string): Promise<User | undefined> {
    const record = await subjects.read(externalId);
    return isUser(record) ? record : undefined;
  }

  async function renewed(user: User | undefined): Promise<User | undefined> {
    if (user) await Promise.all([subjects.renew(user), pointers.renew(user, lifetimeOf(user))]);
    return user;
  }

  /** Also repairs what an interrupted request has left out. */
  async function point(user: User, isNamed: boolean): Promise<void> {
    await pointers.put(user, { ttl: lifetimeOf(user), isNamed });
    await enter(user);
  }

  async function tellIfDeactivated({ active, accountId }: SubjectRecord): Promise<void> {
    if (!active && accountId !== undefined) await onDeactivated(accountId);
  }

  /** The subject is no user any more, and is deactivated. The id goes last: the provider repeats an interrupted request with it. */
  const end = ({ id, externalId }: Pick<User, 'id' | 'externalId'>): Promise<void> =>
    retried(async () => {
      const before = await subjects.read(externalId);
      if (before?.id !== id) return { done: undefined };
      const { createdAt } = before;
      const deactivated = { ...before, active: false, changedAt: seconds(clock) };
      if (!(await subjects.write(before, deactivated))) return undefined;
      await tellIfDeactivated(deactivated);
      await directory.set(digestOf(externalId), 'ended');
      const after = { externalId, active: false, createdAt, changedAt: deactivated.changedAt };
      return (await subjects.write(deactivated, after)) ? { done: undefined } : undefined;
    });

  /** Ends the person whom this user was before, if the request that made it another person was interrupted. */
  async function endPrevious({ id, movedFrom }: User): Promise<void> {
    if (movedFrom !== undefined) await end({ id, externalId: movedFrom });
  }

  /** The user with what the provider has sent. One that sends back what it was answered does not know the name. */
  const changed = (before: User, { externalId, userName, active }: UserChanges): User => ({
    ...before,
    movedFrom: undefined,
    ...(externalId !== undefined && { externalId }),
    ...(active !== undefined && { active }),
    ...(userName !== undefined && userName !== before.externalId && { userName: pointers.hashed(userName) }),
    // Another subject is another person, who may have an account of their own.
    ...(externalId !== undefined &&
      externalId !== before.externalId && { accountId: undefined, movedFrom: before.externalId }),
    changedAt: seconds(clock),
  });

  return {
    create: ({ externalId, userName, active = true }) =>
      retried(async () => {
        const before = await subjects.read(externalId);
        if (isUser(before)) {
          await point(before, false);
          throw conflict();
        }
        await enter({ externalId });
        const now = seconds(clock);
        const id = randomBytes(16).toString('base64url');
        const name = userName === undefined ? {} : { userName: pointers.hashed(userName) };
        const user = { externalId, active, id, ...name, createdAt: now, changedAt: now };
        await point(user, true);
        if (await subjects.write(before, user)) return { done: { user, wasActive: before?.active } };
        await pointers.drop(id);
        return undefined;
      }),
    find: async (id) => renewed(await read(id)),
    // A name never finds a subject: somebody who chooses the subject of another as their name would get that user.
    findBy: async ({ attribute, value }) =>
      renewed(await (attribute === 'userName' ? findByName(value) : findByExternalId(value))),
    change: (id, changes) =>
      retried(async () => {
        const before = await read(id);
        if (!before) throw unknownUser();
        await endPrevious(before);
        const after = changed(before, changes);
        const moves = after.externalId !== before.externalId;
        const target = moves ? await subjects.read(after.externalId) : before;
        if (isUser(target) && target.id !== id) throw conflict();
        if (moves) await enter(after);
        if (!(await subjects.write(target, after))) return undefined;
        await tellIfDeactivated(after);
        const isRenamed = after.userName !== before.userName;
        if (isRenamed) await pointers.dropName(before);
        await point(after, isRenamed);
        if (moves) {
          // The provider says that this user is another person than before: the one before is ended.
          await end(before);
          // If another request has changed the record meanwhile, it has done this.
          await subjects.write(after, { ...after, movedFrom: undefined });
        }
        return { done: { user: after, wasActive: target?.active } };
      }),
    remove: async (id) => {
      const user = await read(id);
      if (!user) throw unknownUser();
      await endPrevious(user);
      await end(user);
      await Promise.all([pointers.drop(id), pointers.dropName(user)]);
      return { user, wasActive: user.active };
    },
    list: async ({ startIndex, count }) => {
      const digests = await directory.users();
      const page = digests.slice(startIndex - 1, startIndex - 1 + count);
      const records = await Promise.all(page.map(subjects.readDigest));
      return { total: digests.length, users: records.filter(isUser) };
    },
  };
}

const conflict = (): HttpError =>
  new HttpError(409, 'uniqueness', 'There is a user with this externalId already. Look it up and change it.');

export const unknownUser = (): HttpError => new HttpError(404, 'not_found', 'There is no user with this id.');
