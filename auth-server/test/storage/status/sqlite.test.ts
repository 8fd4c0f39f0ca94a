/** Proves that SQLite keeps the contract of the status lists, and that it keeps no list that has expired. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIST_SIZE } from '../../../src/revocation/status-store.ts';
import { createSqliteStatusStore } from '../../../src/storage/status/sqlite.ts';
import { statusStoreContract } from '../../contracts/status-store.contract.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-server-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => join(folder, 'auth-server.sqlite');

statusStoreContract('SQLite', {
  open: async (clock) => createSqliteStatusStore(file(), clock),
  clean: async () => {},
});

it('a list that has expired is deleted when the next one is created', async () => {
  const clock = new FakeClock();
  const store = createSqliteStatusStore(file(), clock);
  for (const list of ['first', 'second', 'third']) {
    await store.create(list, new Uint8Array(LIST_SIZE / 8), 100);
    clock.advance(60);
  }
  await store.close();
  const database = new DatabaseSync(file());
  expect(database.prepare('SELECT list, count(*) AS parts FROM status_part GROUP BY list').all()).toEqual([
    { list: 'second', parts: 256 },
    { list: 'third', parts: 256 },
  ]);
  expect(database.prepare('SELECT name FROM status_list').all()).toEqual([{ name: 'second' }, { name: 'third' }]);
  database.close();
});
