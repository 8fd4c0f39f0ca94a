/** Owns the proof that a registered client lives as long as it is used (RFC 7591). */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { expect, it } from 'vitest';
import { createClientRecords } from '../../../src/provider/records/client-records.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';

const LIFETIME = 60;

function records(forgotten: string[] = []) {
  const clock = new FakeClock();
  const store = createSqliteStore(':memory:', clock);
  const preRegistered = { find: async () => undefined, has: () => false };
  const cache = { forget: (id: string) => void forgotten.push(id) };
  return { clock, clients: createClientRecords(store, { clientLifetime: LIFETIME, preRegistered, cache }) };
}

it('registered clients live on from their last use, and as long as a grant needs them', async () => {
  const { clock, clients } = records();
  for (const id of ['used', 'granted', 'unused']) await clients.put(id, {});
  await clients.keep('granted', LIFETIME * 3);
  clock.advance(LIFETIME - 1);
  await clients.find('used');
  await clients.find('granted');
  clock.advance(LIFETIME - 1);
  const found = await Promise.all(['used', 'granted', 'unused'].map((id) => clients.find(id)));
  expect(found).toEqual([{}, {}, undefined]);
  clock.advance(LIFETIME);
  expect(await clients.find('granted')).toEqual({});
});

it('what is changed or removed is forgotten by who keeps it in memory', async () => {
  const forgotten: string[] = [];
  const { clients } = records(forgotten);
  await clients.put('a', {});
  await clients.remove('b');
  expect(forgotten).toEqual(['a', 'b']);
});
