/** Owns the proof that SQLite keeps the promises of the record store, and what is particular to a file. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '@mcp-oauth/shared/errors';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSqliteStore } from '../../src/storage/sqlite.ts';
import { recordStoreContract } from '../contracts/record-store.contract.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'auth-server-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(folder, { recursive: true, force: true });
});

recordStoreContract('SQLite', {
  open: async (clock) => createSqliteStore(join(folder, 'data', 'auth-server.sqlite'), clock),
  clean: async () => {},
});

describe('the SQLite file', () => {
  it('is readable by nobody else, nor are the files beside it', async () => {
    const path = join(folder, 'auth-server.sqlite');
    const store = createSqliteStore(path, new FakeClock());
    await store.put('Grant', 'a', {}, { ttl: 1 });
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o077).toBe(0);
    await store.close();
  });

  it('ends a start in a folder that can not be written with one line that names DATA_DIR', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const open = () => createSqliteStore(join(file, 'auth-server.sqlite'), new FakeClock());
    expect(open).toThrow(StartError);
    expect(open).toThrow(/^DATA_DIR: [^\n]+ can't be written [^\n]+$/);
  });

  it('of a newer version is left alone', () => {
    const path = join(folder, 'auth-server.sqlite');
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(() => createSqliteStore(path, new FakeClock())).toThrow(/newer version/);
  });

  it('loses expired rows now and then, a bounded number at a time until none is left, and keeps the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
    const path = join(folder, 'auth-server.sqlite');
    const clock = new FakeClock();
    const store = createSqliteStore(path, clock);
    const reader = new DatabaseSync(path);
    const rows = () => Number(reader.prepare('SELECT count(*) AS n FROM record').get()?.n);
    for (let index = 0; index < 2_200; index++) await store.put('Interaction', `${index}`, {}, { ttl: 10 });
    await store.put('Grant', 'stays', {}, { ttl: 1_000 });
    clock.advance(10);
    vi.advanceTimersByTime(60_000);
    expect(rows()).toBe(1_201);
    // More than one portion may come in within a minute: what is left does not wait for the next.
    vi.advanceTimersByTime(1_000);
    expect(rows()).toBe(1);
    for (let minute = 0; minute < 2; minute++) {
      await store.put('Interaction', 'late', {}, { ttl: 10 });
      clock.advance(10);
      vi.advanceTimersByTime(60_000);
      expect(rows()).toBe(1);
    }
    reader.close();
    await store.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
