/** Proves how a grant is revoked without the engine, by its key in the store: as a command does it. */
import { isMarked } from '@mcp-oauth/shared/status-list/status-list';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { beforeEach, expect, it, vi } from 'vitest';
import { digest, revokeGrant } from '../../../src/provider/records/grants.ts';
import { createStatusMarks } from '../../../src/revocation/status-lists.ts';
import { LIST_SIZE, type StatusStore } from '../../../src/revocation/status-store.ts';
import type { RecordStore } from '../../../src/storage/record-store.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';

const LIST = 'abcdefghijklmnopqrstuv';
const DAY = 86_400;

let clock: FakeClock;
let store: RecordStore;
let statusStore: StatusStore;
beforeEach(async () => {
  clock = new FakeClock();
  store = createSqliteStore(':memory:', clock);
  statusStore = createSqliteStatusStore(':memory:', clock);
  await statusStore.create(LIST, new Uint8Array(LIST_SIZE / 8), 2 * DAY);
  return () => Promise.all([store.close(), statusStore.close()]);
});

const key = digest('a grant');
const until = (seconds: number) => ({ list: LIST, idx: seconds, until: clock.now() / 1000 + seconds });
const revoke = () =>
  revokeGrant(key, { store, marks: createStatusMarks({ store: statusStore, clock, random: () => 0 }), clock });
const isEnded = async (idx: number) => isMarked((await statusStore.marks(LIST))?.bits ?? new Uint8Array(), idx);

it('RFC 7009 §2.1 a grant is revoked by its key, and each of its references is marked', async () => {
  await store.put('Grant', key, { clientId: 'app', status: [until(100), until(DAY)] }, { ttl: 90 * DAY });
  await revoke();
  expect((await store.get('Grant', key))?.value).toEqual({
    revoked: true,
    endedAt: expect.any(Number),
    status: [until(100), until(DAY)],
  });
  expect([await isEnded(100), await isEnded(DAY), await isEnded(101)]).toEqual([true, true, false]);
});

it('the record of a revoked grant stays as long as its last token, so that a second revocation marks it too', async () => {
  await store.put('Grant', key, { clientId: 'app', status: [until(DAY)] }, { ttl: 90 * DAY });
  await revoke();
  clock.advance(DAY - 1);
  expect((await store.get('Grant', key))?.value.revoked).toBe(true);
  const mark = vi.spyOn(statusStore, 'mark');
  await revoke();
  expect(mark).toHaveBeenCalledWith(LIST, [DAY], expect.anything());
});

it('a grant of an earlier version, without references, is revoked too', async () => {
  await store.put('Grant', key, { clientId: 'app' }, { ttl: 90 * DAY });
  await revoke();
  expect((await store.get('Grant', key))?.value).toEqual({ revoked: true, endedAt: expect.any(Number), status: [] });
});
