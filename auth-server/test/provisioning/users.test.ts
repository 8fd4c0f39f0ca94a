/** Proves that users stay consistent on both stores: with concurrent changes, after an interrupted request, and in great number. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createDirectory } from '../../src/provisioning/directory.ts';
import { createSubjects } from '../../src/provisioning/subjects.ts';
import { createUsers, type Users } from '../../src/provisioning/users.ts';
import type { RecordStore } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { STORES, storesOf } from '../support/stores.ts';

const clock = new FakeClock(Date.now());
const usersOn = (store: RecordStore, nameKeys: readonly [string, ...string[]] = ['a key']): Users =>
  createUsers('acme', { store, clock, nameKeys, onDeactivated: async () => {} });
let count = 0;
/** Tests share one Redis. */
const somebody = () => `subject-${Date.now()}-${count++}`;

describe.each(STORES)('users on %s', (kind) => {
  const open = storesOf(kind);
  let store: RecordStore;
  let users: Users;
  beforeEach(async () => {
    store = await open(clock);
    users = usersOn(store);
  });

  it('RFC 7644 §3.3 one of many concurrent requests creates a user, the others are conflicts', async () => {
    const externalId = somebody();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => usersOn(store).create({ externalId, userName: externalId })),
    );
    const created = results.filter(({ status }) => status === 'fulfilled');
    expect(created).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ status: 409, code: 'uniqueness' });
    }
    const user = await users.findBy({ attribute: 'userName', value: externalId });
    expect(await users.find(user?.id ?? '')).toEqual(user);
  });

  it('RFC 7644 §3.5.2 concurrent changes are all made: none overwrites another with what it read before', async () => {
    const externalId = somebody();
    const { user } = await users.create({ externalId });
    await Promise.all([
      ...Array.from({ length: 10 }, (_, n) => users.change(user.id, { userName: `name-${externalId}-${n}` })),
      users.change(user.id, { active: false }),
    ]);
    expect(await users.find(user.id)).toMatchObject({ externalId, active: false });
  });

  it('RFC 7644 §3.6 a removal and concurrent changes leave the person deactivated and without a user', async () => {
    const externalId = somebody();
    const { user } = await users.create({ externalId });
    await Promise.allSettled([
      users.change(user.id, { active: true }),
      users.remove(user.id),
      users.change(user.id, { active: true }),
    ]);
    expect(await users.find(user.id)).toBeUndefined();
    expect(await createSubjects('acme', store).read(externalId)).toMatchObject({ externalId, active: false });
  });

  it('a user whose creation was interrupted is complete after the next attempt to create it', async () => {
    const externalId = somebody();
    const { user } = await users.create({ externalId, userName: 'before' });
    await store.delete('ScimUser', `acme:${user.id}`);
    expect(await users.find(user.id)).toBeUndefined();
    await expect(users.create({ externalId })).rejects.toMatchObject({ status: 409 });
    expect(await users.find(user.id)).toMatchObject({ externalId });
  });

  it('a name finds a user that was stored with an older key, and the newest user that got the name', async () => {
    const [first, second, userName] = [somebody(), somebody(), `name-${somebody()}`];
    await usersOn(store, ['old key']).create({ externalId: first, userName });
    const later = usersOn(store, ['new key', 'old key']);
    expect(await later.findBy({ attribute: 'userName', value: userName })).toMatchObject({ externalId: first });
    await later.create({ externalId: second, userName });
    expect(await later.findBy({ attribute: 'userName', value: userName })).toMatchObject({ externalId: second });
    const other = await later.findBy({ attribute: 'externalId', value: first });
    await later.change(other?.id ?? '', { active: false });
    expect(await later.findBy({ attribute: 'userName', value: userName })).toMatchObject({ externalId: second });
  });

  it('a user that becomes another person and returns is active again, and there is one user', async () => {
    const [right, wrong] = [somebody(), somebody()];
    const { user } = await users.create({ externalId: right });
    await users.change(user.id, { externalId: wrong });
    const subjects = createSubjects('acme', store);
    expect(await subjects.read(right)).toMatchObject({ active: false });
    await users.change(user.id, { externalId: right });
    expect(await subjects.read(right)).toMatchObject({ active: true, id: user.id });
    expect(await subjects.read(wrong)).toMatchObject({ active: false });
    expect((await subjects.read(wrong))?.id).toBeUndefined();
  });
});

describe('the number of users', () => {
  it('10,000 users are created, found and listed', { timeout: 120_000 }, async () => {
    const users = usersOn(createSqliteStore(':memory:', clock));
    for (let n = 0; n < 10_000; n += 1)
      await users.create({ externalId: `00u${n}`, userName: `person-${n}@acme.example` });
    const page = await users.list({ startIndex: 9_901, count: 100 });
    expect([page.total, page.users.length]).toEqual([10_000, 100]);
    expect(await users.findBy({ attribute: 'userName', value: 'person-9999@acme.example' })).toBeDefined();
  });

  it('a directory that is full refuses another subject, and forgets those whose records have expired', async () => {
    const known = new Set(['A1', 'A2']);
    const directory = createDirectory(createSqliteStore(':memory:', clock), {
      connector: 'acme',
      exists: async (digest) => known.has(digest),
      mostEntries: 2,
    });
    await directory.set('A1', 'user');
    await directory.set('A2', 'ended');
    await directory.set('B1', 'user');
    await expect(directory.set('A3', 'user')).rejects.toMatchObject({ status: 403, code: 'too_many_users' });
    await directory.set('A2', 'user');
    expect(await directory.users()).toEqual(['A1', 'A2', 'B1']);
    known.delete('A1');
    await directory.set('A3', 'user');
    expect(await directory.users()).toEqual(['A2', 'A3', 'B1']);
  });
});
