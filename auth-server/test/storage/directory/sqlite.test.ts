/** Proves that SQLite keeps the contract of the directory of grants, and that a file of an earlier version gets the table. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSqliteDirectory } from '../../../src/storage/directory/sqlite.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { grantDirectoryContract } from '../../contracts/grant-directory.contract.ts';

let path: string;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-server-'));
  path = join(folder, 'auth-server.sqlite');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

grantDirectoryContract('SQLite', { open: async (clock) => createSqliteDirectory(path, clock), clean: async () => {} });

/** The schema of 0.1.0. */
const FIRST_SCHEMA = `
CREATE TABLE record (kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL, expires_at INTEGER NOT NULL,
  consumed_at INTEGER, alias TEXT, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_alias ON record (kind, alias) WHERE alias IS NOT NULL;
CREATE INDEX record_expiry ON record (expires_at);
INSERT INTO record VALUES ('Grant', 'a', '{"accountId":"ada"}', 9999999999, NULL, NULL);
PRAGMA user_version = 1;`;

describe('a SQLite file of an earlier version', () => {
  it('keeps its records and gets a directory, whichever part of the server opens it first', async () => {
    const earlier = new DatabaseSync(path);
    earlier.exec(FIRST_SCHEMA);
    const clock = new FakeClock();
    const directory = createSqliteDirectory(path, clock);
    const store = createSqliteStore(path, clock);
    expect((await store.get('Grant', 'a'))?.value).toEqual({ accountId: 'ada' });
    expect((await directory.list()).items).toEqual([]);
    // A process of the earlier version that is still running goes on.
    earlier.exec("INSERT INTO record VALUES ('Grant', 'b', '{}', 9999999999, NULL, NULL)");
    expect(await store.get('Grant', 'b')).toBeDefined();
    earlier.close();
    await Promise.all([directory.close(), store.close()]);
  });

  it('expired entries are deleted by later writes, a bounded number per write', async () => {
    const clock = new FakeClock();
    const directory = createSqliteDirectory(path, clock);
    const reader = new DatabaseSync(path);
    const rows = () => Number(reader.prepare('SELECT count(*) AS n FROM grant_entry').get()?.n);
    const put = (id: string, lifetime: number) =>
      directory.put({
        id,
        accountId: 'ada',
        clientId: 'desk',
        resources: [],
        scopes: [],
        via: 'browser',
        createdAt: 0,
        lastUsedAt: 0,
        expiresAt: Math.floor(clock.now() / 1000) + lifetime,
      });
    for (let index = 0; index < 150; index += 1) await put(`${index}`, 10);
    clock.advance(10);
    await put('stays', 1_000);
    expect(rows()).toBe(51);
    await put('stays', 1_000);
    expect(rows()).toBe(1);
    reader.close();
    await directory.close();
  });
});
