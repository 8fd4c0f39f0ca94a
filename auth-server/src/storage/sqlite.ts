/** Owns the record store on one SQLite file: every guarantee of the port is a single statement, so that it holds across processes. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { setImmediate } from 'node:timers';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { type RecordStore, type StoredRecord, StoreUnavailable } from './record-store.ts';
import { openDatabase } from './schema.ts';

const SWEEP_EVERY = 60_000;
/** Maximum number of rows that one sweep removes, so that it never delays requests. */
const SWEEP_ROWS = 1_000;
/** Milliseconds until the next sweep if one was not enough: more rows may arrive within a minute than it removes. */
const SWEEP_AGAIN = 100;

const STATEMENTS = {
  put: `INSERT INTO record (kind, id, value, expires_at, alias) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, consumed_at = NULL,
    alias = excluded.alias`,
  freeAlias: 'UPDATE record SET alias = NULL WHERE kind = ? AND alias = ? AND id <> ?',
  putIfAbsent: `INSERT INTO record (kind, id, value, expires_at, alias) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at, consumed_at = NULL,
    alias = excluded.alias WHERE record.expires_at <= ?`,
  replace: `UPDATE record SET value = ?, expires_at = coalesce(?, expires_at)
    WHERE kind = ? AND id = ? AND value = ? AND expires_at > ?`,
  get: 'SELECT value, consumed_at FROM record WHERE kind = ? AND id = ? AND expires_at > ?',
  getByAlias: 'SELECT value, consumed_at FROM record WHERE kind = ? AND alias = ? AND expires_at > ?',
  take: 'DELETE FROM record WHERE kind = ? AND id = ? AND expires_at > ? RETURNING value, consumed_at',
  consume: `UPDATE record SET consumed_at = ?
    WHERE kind = ? AND id = ? AND consumed_at IS NULL AND expires_at > ?`,
  touch: 'UPDATE record SET expires_at = max(expires_at, ?) WHERE kind = ? AND id = ? AND expires_at > ?',
  delete: 'DELETE FROM record WHERE kind = ? AND id = ?',
  sweep: `DELETE FROM record WHERE (kind, id) IN
    (SELECT kind, id FROM record WHERE expires_at <= ? ORDER BY expires_at LIMIT ${SWEEP_ROWS})`,
} as const;

type Row = Record<string, SQLOutputValue>;

function toRecord(row: Row | undefined): StoredRecord | undefined {
  if (!row) return undefined;
  const value = JSON.parse(String(row.value));
  return row.consumed_at === null ? { value } : { value, consumedAt: Number(row.consumed_at) };
}

type Statements = Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

const prepareAll = (database: DatabaseSync): Statements =>
  Object.fromEntries(Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;

/**
 * @param sweep returns whether there is more to remove
 * @returns a function that stops it
 */
function sweepNowAndThen(sweep: () => boolean): () => void {
  let timer = setTimeout(run, SWEEP_EVERY).unref();
  function run(): void {
    let more = false;
    try {
      more = sweep();
    } catch {
      // Expired rows are never returned anyway. The next request that writes reports a full or locked disk.
    }
    timer = setTimeout(run, more ? SWEEP_AGAIN : SWEEP_EVERY).unref();
  }
  return () => clearTimeout(timer);
}

interface Turn {
  /** Runs `write` at the end of this turn of the event loop. @returns its result, when it is in the file */
  write<T>(write: () => T): Promise<T>;
  /** Runs `read` after the writes. */
  read<T>(read: () => T): Promise<T>;
  /** Runs what waits, now. */
  finish(): void;
}

/**
 * Each transaction costs as much as the statements in it, so the writes of one turn of the event loop share one. Reads wait for the same
 * moment: the processor is faster when many requests take the same step one after the other.
 */
function turnsOf(database: DatabaseSync): Turn {
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  let writes: { run: () => () => void; fail: (error: unknown) => void }[] = [];
  let reads: (() => void)[] = [];

  function finishWrites(): void {
    const all = writes;
    writes = [];
    if (all.length === 0) return;
    try {
      begin.run();
      const answers = all.map(({ run }) => run());
      // A full disk ends the transaction, and with it the writes before.
      commit.run();
      for (const answer of answers) answer();
    } catch (error) {
      // A write may come after the file was closed: then there is no transaction to ask about.
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
      for (const { fail } of all) fail(error);
    }
  }

  function finish(): void {
    finishWrites();
    const all = reads;
    reads = [];
    for (const read of all) read();
  }

  const beforeAdding = (): void => {
    if (writes.length + reads.length === 0) setImmediate(finish);
  };

  return {
    write: (write) =>
      new Promise((resolve, reject) => {
        beforeAdding();
        const run = () => {
          try {
            const result = write();
            return () => resolve(result);
          } catch (error) {
            if (!database.isTransaction) throw error;
            return () => reject(error);
          }
        };
        writes.push({ run, fail: reject });
      }),
    read: (read) =>
      new Promise((resolve, reject) => {
        beforeAdding();
        reads.push(() => {
          try {
            resolve(read());
          } catch (error) {
            reject(error);
          }
        });
      }),
    finish,
  };
}

/**
 * Primary result codes (sqlite.org/rescode.html) of a file that cannot be used now: BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN,
 * PROTOCOL. Nothing was executed, and an operator can mend it while the server runs. Others are about a statement or a broken file.
 */
const OUTAGES: ReadonlySet<number> = new Set([5, 6, 7, 8, 10, 13, 14, 15]);

/** The lower byte of the extended code that node:sqlite reports is the primary code. */
const isOutage = (error: unknown): boolean => OUTAGES.has(Number((error as { errcode?: unknown }).errcode) & 0xff);

/** Ensures that callers see a file that cannot be used now as StoreUnavailable. */
export function guarded<T extends { close(): Promise<void> }>(store: T): T {
  const members = Object.entries(store as object).map(([name, run]) => [
    name,
    async (...args: unknown[]) => {
      try {
        return await run(...args);
      } catch (cause) {
        throw isOutage(cause) ? new StoreUnavailable(cause) : cause;
      }
    },
  ]);
  return { ...Object.fromEntries(members), close: store.close };
}

/**
 * @param path of the file, or `:memory:`
 * @throws StartError if the file cannot be written
 */
export function createSqliteStore(path: string, clock: Clock): RecordStore {
  const database = openDatabase(path);
  const run = prepareAll(database);
  const now = () => seconds(clock);
  const stopSweeping = sweepNowAndThen(() => run.sweep.run(now()).changes === SWEEP_ROWS);

  const { write, read, finish } = turnsOf(database);
  return guarded({
    put: (kind, id, value, { ttl, alias }) => {
      // A record is stored as it is now, and other processes do not wait for its text while the transaction is open.
      const text = JSON.stringify(value);
      return write(() => {
        // An alias refers to the newest record, such as a session that got a new id.
        if (alias !== undefined) run.freeAlias.run(kind, alias, id);
        run.put.run(kind, id, text, now() + ttl, alias ?? null);
      });
    },
    putIfAbsent: (kind, id, value, { ttl, alias }) => {
      const text = JSON.stringify(value);
      return write(() => run.putIfAbsent.run(kind, id, text, now() + ttl, alias ?? null, now()).changes === 1);
    },
    replace: (kind, id, { before, after, ttl }) => {
      const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
      return write(() => {
        const end = ttl === undefined ? null : now() + ttl;
        return run.replace.run(to, end, kind, id, from, now()).changes === 1;
      });
    },
    get: (kind, id) => read(() => toRecord(run.get.get(kind, id, now()))),
    getByAlias: (kind, alias) => read(() => toRecord(run.getByAlias.get(kind, alias, now()))),
    take: (kind, id) => write(() => toRecord(run.take.get(kind, id, now()))),
    consume: (kind, id) => write(() => run.consume.run(now(), kind, id, now()).changes === 1),
    touch: (kind, id, ttl) =>
      write(() => {
        run.touch.run(now() + ttl, kind, id, now());
      }),
    delete: (kind, id) =>
      write(() => {
        run.delete.run(kind, id);
      }),
    close: async () => {
      stopSweeping();
      finish();
      if (database.isOpen) database.close();
    },
  });
}
