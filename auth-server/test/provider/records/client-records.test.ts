/**
 * Proves that a registered client is kept for a day, and after an approval for as long as that is used (RFC 7591 §5).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';
import { createClientRecords } from '../../../src/provider/records/client-records.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';

const DAY = 86_400;
const LIFETIME = 90 * DAY;
/** Uses in so many seconds extend the client once. */
const EVERY = 300;

function records(forgotten: string[] = [], clientLifetime = LIFETIME) {
  const clock = new FakeClock();
  const stored = createSqliteStore(':memory:', clock);
  const touched: string[] = [];
  const touch: typeof stored.touch = (kind, id, ttl) => {
    touched.push(id);
    return stored.touch(kind, id, ttl);
  };
  const store = { ...stored, touch };
  const preRegistered = { find: async () => undefined, has: () => false };
  const cache = { forget: (id: string) => void forgotten.push(id) };
  const clients = createClientRecords(store, { clientLifetime, preRegistered, cache, clock });
  return {
    clock,
    clients,
    touched,
    known: async (...ids: string[]) => Promise.all(ids.map(async (id) => !!(await clients.find(id)))),
  };
}

it('a registered client without an approval is kept for a day, however often it is read or changed', async () => {
  const { clock, clients, known } = records();
  await clients.put('stranger', {}, false);
  await clients.put('vouched', {}, true);
  clock.advance(DAY - 1);
  expect(await known('stranger', 'vouched')).toEqual([true, true]);
  expect(await clients.replace('stranger', { name: 'changed' })).toBe(true);
  clock.advance(1);
  expect(await known('stranger', 'vouched')).toEqual([false, true]);
  clock.advance(LIFETIME - DAY);
  expect(await known('vouched')).toEqual([false]);
});

it('an approved client is kept from its last use, and as long as a grant needs it', async () => {
  const { clock, clients, known } = records();
  for (const id of ['approved', 'granted', 'used']) await clients.put(id, {}, false);
  await clients.keep('granted', LIFETIME * 3);
  await clients.keep('approved', DAY);
  await clients.keep('used', DAY);
  clock.advance(LIFETIME - 1);
  await clients.keep('used');
  expect(await known('approved', 'granted', 'used')).toEqual([true, true, true]);
  clock.advance(EVERY + 1);
  expect(await known('approved', 'granted', 'used')).toEqual([false, true, true]);
  clock.advance(LIFETIME - 1);
  expect(await known('granted', 'used')).toEqual([true, false]);
});

it('uses of a client within five minutes extend it once, and it is kept for CLIENT_LIFETIME from the last of them', async () => {
  const { clock, clients, known, touched } = records();
  await clients.put('used', {}, false);
  await clients.keep('used');
  clock.advance(EVERY - 1);
  await clients.keep('used');
  expect(touched).toEqual(['used']);
  clock.advance(LIFETIME);
  expect(await known('used')).toEqual([true]);
  await clients.keep('used');
  expect(touched).toEqual(['used', 'used']);
});

it('each approval extends the client, also within the five minutes, and so does the first use of a new client', async () => {
  const { clients, touched } = records();
  await clients.put('a', {}, false);
  await clients.keep('a');
  await clients.keep('a', DAY);
  await clients.remove('a');
  await clients.put('a', {}, false);
  await clients.keep('a');
  expect(touched).toEqual(['a', 'a', 'a']);
});

it('a CLIENT_LIFETIME below a day counts from the last use, until the day is over', async () => {
  const { clock, clients, known } = records([], 3_600);
  const issued = { client_id_issued_at: Math.floor(clock.now() / 1000) };
  for (const id of ['used', 'unused']) await clients.put(id, issued, false);
  for (let hour = 1; hour < 24; hour += 1) {
    clock.advance(3_599);
    expect(await known('used')).toEqual([true]);
  }
  clock.advance(3_599);
  expect(await known('used', 'unused')).toEqual([true, false]);
  clock.advance(24);
  expect(await known('used')).toEqual([false]);
});

it('a changed or removed client is dropped from the cache', async () => {
  const forgotten: string[] = [];
  const { clients } = records(forgotten);
  await clients.put('a', {}, false);
  await clients.remove('b');
  await clients.replace('c', {});
  expect(forgotten).toEqual(['a', 'b', 'c']);
});
