/** Proves that a provider which repeats a request that the storage has interrupted gets what the request asked for. */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { createSubjects } from '../../src/provisioning/subjects.ts';
import { createUsers, type User, type Users } from '../../src/provisioning/users.ts';
import { type RecordStore, StoreUnavailable } from '../../src/storage/record-store.ts';
import { createSqliteStore } from '../../src/storage/sqlite.ts';

const clock = new FakeClock(Date.now());
const ACCOUNT = 'account of alice';
const OUTAGE = { status: 503 };

let store: RecordStore;
let users: Users;
/** The accounts whose tokens of the upstream were deleted. */
let ended: string[];
/** Decides which writes fail: each call counts down to the one that does. */
let writesUntilOutage: number;

const fail = () => {
  throw new StoreUnavailable('the storage is away');
};

beforeEach(() => {
  const sqlite = createSqliteStore(':memory:', clock);
  const counted =
    <A extends unknown[], R>(write: (...args: A) => R) =>
    (...args: A): R =>
      writesUntilOutage-- === 0 ? fail() : write(...args);
  store = sqlite;
  const failing = {
    ...sqlite,
    put: counted(sqlite.put),
    putIfAbsent: counted(sqlite.putIfAbsent),
    replace: counted(sqlite.replace),
    delete: counted(sqlite.delete),
  };
  ended = [];
  writesUntilOutage = -1;
  const onDeactivated = counted(async (accountId: string) => void ended.push(accountId));
  users = createUsers('acme', { store: failing, clock, nameKeys: ['a key'], onDeactivated });
});

const subject = (externalId: string) => createSubjects('acme', store).read(externalId);

/** Creates the user of somebody who has signed in. */
async function signedIn(externalId: string): Promise<User> {
  const { user } = await users.create({ externalId, userName: `${externalId}@acme.example` });
  await createSubjects('acme', store).write(user, { ...user, accountId: ACCOUNT });
  return user;
}

type Request = (user: User) => Promise<unknown>;

/**
 * Interrupts the request at its first write, sends the next one, then the same at its second, and so on, until nothing fails.
 * @returns how many writes the request has
 */
async function atEachWrite(request: Request, next: Request, check: (user: User) => Promise<void>): Promise<number> {
  for (let write = 0; ; write += 1) {
    ended = [];
    const user = await signedIn('alice');
    writesUntilOutage = write;
    const outcome = await request(user).then(() => 'done', (thrown) => thrown); // biome-ignore format: one line
    const wasInterrupted = writesUntilOutage < 0;
    writesUntilOutage = -1;
    if (!wasInterrupted) return write;
    expect(outcome).toMatchObject(OUTAGE);
    await next(user);
    await check(user);
  }
}

const remove: Request = ({ id }) => users.remove(id);
/** The provider may not find a user any more that it removes again. */
const removeAgain: Request = (user) => remove(user).catch((thrown) => expect(thrown).toMatchObject({ status: 404 }));
const other = ({ id }: User) => `person after ${id}`;
const move: Request = (user) => users.change(user.id, { externalId: other(user) });

async function expectEnded(): Promise<void> {
  expect(await subject('alice')).toMatchObject({ active: false });
  expect((await subject('alice'))?.id).toBeUndefined();
  expect(ended).toContain(ACCOUNT);
}

describe('a request that is repeated after an outage of the storage', () => {
  it('RFC 7644 §3.6 a removal deactivates the person, deletes their tokens and leaves no user in the list', async () => {
    const writes = await atEachWrite(remove, removeAgain, async () => {
      await expectEnded();
      expect(await users.list({ startIndex: 1, count: 100 })).toEqual({ total: 0, users: [] });
    });
    expect(writes).toBeGreaterThan(3);
  });

  it('RFC 7644 §3.5.2 a change of externalId deactivates the person before and deletes their tokens', async () => {
    const writes = await atEachWrite(move, move, async (user) => {
      await expectEnded();
      expect(await subject(other(user))).toMatchObject({ active: true, id: user.id });
      expect((await subject(other(user)))?.movedFrom).toBeUndefined();
      await remove(user);
    });
    expect(writes).toBeGreaterThan(5);
  });
});

it('RFC 7644 §3.6 a removal after an interrupted change of externalId deactivates the person before as well', async () => {
  expect(await atEachWrite(move, remove, expectEnded)).toBeGreaterThan(5);
});
