/** Proves that SQLite keeps the contract of the record store, and what is specific to a file. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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
  it('the SQLite file and the files beside it are readable by nobody else', async () => {
    const path = join(folder, 'auth-server.sqlite');
    const store = createSqliteStore(path, new FakeClock());
    await store.put('Grant', 'a', {}, { ttl: 1 });
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o077).toBe(0);
    await store.close();
  });

  it('a folder that is not writable ends the start with one line that names DATA_DIR', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const open = () => createSqliteStore(join(file, 'auth-server.sqlite'), new FakeClock());
    expect(open).toThrow(StartError);
    expect(open).toThrow(/^DATA_DIR: [^\n]+ can't be written [^\n]+$/);
  });

  it('CWE-732 existing files and our own folder lose the permissions of other users', async () => {
    const path = join(folder, 'data', 'auth-server.sqlite');
    const first = createSqliteStore(path, new FakeClock());
    await first.put('Grant', 'a', {}, { ttl: 60 });
    const names = readdirSync(join(folder, 'data'));
    expect(names.sort()).toEqual(['auth-server.sqlite', 'auth-server.sqlite-shm', 'auth-server.sqlite-wal']);
    const all = [join(folder, 'data'), ...names.map((name) => join(folder, 'data', name))];
    for (const one of all) chmodSync(one, 0o777);
    const second = createSqliteStore(path, new FakeClock());
    expect((await second.get('Grant', 'a'))?.value).toEqual({});
    expect(all.map((one) => statSync(one).mode & 0o077)).toEqual([0, 0, 0, 0]);
    await Promise.all([first.close(), second.close()]);
  });

  it('the permissions of a folder with foreign files stay unchanged', async () => {
    writeFileSync(join(folder, 'of-others'), '');
    chmodSync(folder, 0o755);
    await createSqliteStore(join(folder, 'auth-server.sqlite'), new FakeClock()).close();
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'auth-server.sqlite')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['a folder that cannot be created', '/proc/nope'],
    ['a device', '/dev/null'],
    ['a folder of the kernel', '/sys/kernel'],
    ['a folder that leads to itself', () => symlinkSync('loop', join(folder, 'loop')) ?? join(folder, 'loop')],
    ['a folder in place of the file', () => mkdirSync(join(folder, 'auth-server.sqlite')) ?? folder],
    [
      'a pipe in place of the file',
      () => execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'auth-server.sqlite')]) && folder,
    ],
    ['another file in its place', () => writeFileSync(join(folder, 'auth-server.sqlite'), 'x'.repeat(9_000)) ?? folder],
    ['a name that is too long', `/tmp/${'x'.repeat(300)}`],
  ])('an unusable DATA_DIR ends the start at once with one line: %s', (_, where) => {
    const dataDir = typeof where === 'string' ? where : where();
    const open = () => createSqliteStore(join(dataDir, 'auth-server.sqlite'), new FakeClock());
    expect(open).toThrow(StartError);
    expect(open).toThrow(/^DATA_DIR: [^\n]+ can't be written [^\n]+$/);
  });

  it('a full disk is an outage that is worth a retry (RFC 9110 §15.6.4), and what is stored can still be read', () => {
    const store = new URL('../../src/storage/sqlite.ts', import.meta.url);
    const program = `
      const { createSqliteStore } = await import('${store}');
      const store = createSqliteStore(process.argv[1], { now: Date.now });
      const put = (id) => store.put('Grant', id, { text: 'x'.repeat(10_000) }, { ttl: 60 });
      const failure = await (async () => { for (let n = 0; ; n += 1) await put(String(n)); })().catch((error) => error);
      const { value } = await store.get('Grant', '0');
      console.log(failure.status, failure.reason, value.text.length);
      await store.close();`;
    // No file of the process can become larger: writing fails as on a full disk.
    const limited = ['-c', 'ulimit -f 300; exec "$0" --input-type=module -e "$1" "$2"'];
    const said = execFileSync('sh', [...limited, process.execPath, program, join(folder, 'auth-server.sqlite')]);
    expect(String(said)).toMatch(/^503 store unavailable: (disk I\/O error|database or disk is full) 10000\n$/);
  });

  it('writes at once are stored together, and a full disk refuses all of them and stores none (RFC 9110 §15.6.4)', () => {
    const store = new URL('../../src/storage/sqlite.ts', import.meta.url);
    const program = `
      const { createSqliteStore } = await import('${store}');
      const store = createSqliteStore(process.argv[1], { now: Date.now });
      const put = (id) => store.put('Grant', id, { text: 'x'.repeat(10_000) }, { ttl: 60 });
      for (let n = 0; ; n += 5) {
        const ids = [0, 1, 2, 3, 4].map((m) => String(n + m));
        const done = await Promise.allSettled(ids.map(put));
        const stored = await Promise.all(ids.map((id) => store.get('Grant', id)));
        const count = stored.filter(Boolean).length;
        if (done.every(({ status }) => status === 'fulfilled') && count === 5) continue;
        console.log(done.map(({ reason }) => reason?.status).join(), count);
        break;
      }
      await store.close();`;
    const limited = ['-c', 'ulimit -f 300; exec "$0" --input-type=module -e "$1" "$2"'];
    const said = execFileSync('sh', [...limited, process.execPath, program, join(folder, 'auth-server.sqlite')]);
    expect(String(said)).toBe('503,503,503,503,503 0\n');
  });

  it('a write that fails by itself does not keep the others of its turn from being stored', async () => {
    const store = createSqliteStore(join(folder, 'auth-server.sqlite'), new FakeClock());
    // A column of whole numbers refuses the half second.
    const put = (id: string, ttl: number) => store.put('Grant', id, {}, { ttl });
    const done = await Promise.allSettled([put('a', 60), put('b', 0.5), put('c', 60)]);
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await Promise.all(['a', 'b', 'c'].map(async (id) => !!(await store.get('Grant', id))))).toEqual([
      true,
      false,
      true,
    ]);
    await store.close();
  });

  it('what was written when the file is closed is stored', async () => {
    const path = join(folder, 'auth-server.sqlite');
    const store = createSqliteStore(path, new FakeClock());
    const written = store.put('Grant', 'a', {}, { ttl: 60 });
    await store.close();
    await written;
    const again = createSqliteStore(path, new FakeClock());
    expect((await again.get('Grant', 'a'))?.value).toEqual({});
    await again.close();
  });

  it('a record is stored as it was when the write was called', async () => {
    const store = createSqliteStore(':memory:', new FakeClock());
    const [put, added] = [{ n: 1 }, { n: 1 }];
    const written = [store.put('Grant', 'a', put, { ttl: 60 }), store.putIfAbsent('Grant', 'b', added, { ttl: 60 })];
    for (const value of [put, added]) value.n = 2;
    await Promise.all(written);
    const stored = await Promise.all(['a', 'b'].map((id) => store.get('Grant', id)));
    expect(stored).toEqual([{ value: { n: 1 } }, { value: { n: 1 } }]);
    await store.close();
  });

  it('a write after the file was closed is refused, and does not end the process', async () => {
    const store = createSqliteStore(join(folder, 'auth-server.sqlite'), new FakeClock());
    await store.close();
    await expect(store.put('Grant', 'a', {}, { ttl: 60 })).rejects.toThrow();
  });

  it('a read after the file was closed is refused, and does not end the process', async () => {
    const store = createSqliteStore(join(folder, 'auth-server.sqlite'), new FakeClock());
    await store.close();
    await expect(store.get('Grant', 'a')).rejects.toThrow();
  });

  it('a read finds what was written in the same turn, and one that waits when the file is closed is answered', async () => {
    const store = createSqliteStore(join(folder, 'auth-server.sqlite'), new FakeClock());
    const before = store.get('Grant', 'a');
    const written = store.put('Grant', 'a', {}, { ttl: 60, alias: 'b' });
    const found = [before, store.get('Grant', 'a'), store.getByAlias('Grant', 'b')];
    await store.close();
    await written;
    expect(await Promise.all(found)).toEqual([{ value: {} }, { value: {} }, { value: {} }]);
  });

  it('a read that fails by itself does not keep the others of its turn from their answers', async () => {
    const path = join(folder, 'auth-server.sqlite');
    const store = createSqliteStore(path, new FakeClock());
    await store.put('Grant', 'a', {}, { ttl: 60 });
    await store.put('Grant', 'b', {}, { ttl: 60 });
    const other = new DatabaseSync(path);
    other.exec("UPDATE record SET value = 'no JSON' WHERE id = 'a'");
    other.close();
    const done = await Promise.allSettled(['a', 'b'].map((id) => store.get('Grant', id)));
    expect(done.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    await store.close();
  });

  it('a file of a newer version is left unchanged', () => {
    const path = join(folder, 'auth-server.sqlite');
    const newer = new DatabaseSync(path);
    newer.exec('PRAGMA user_version = 99');
    newer.close();
    expect(() => createSqliteStore(path, new FakeClock())).toThrow(/newer version/);
  });

  it('expired rows are deleted from time to time, a bounded number per step, and the others stay', async () => {
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
    // More than one batch may expire within a minute: the remaining records do not wait for the next minute.
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
