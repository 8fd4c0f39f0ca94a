/**
 * Owns the status lists in the SQLite file: the bits of a list in parts of 512 bytes, so that an allocation writes one small row and not
 * the whole list. It has a connection of its own.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { isMarked, setBit } from '@mcp-oauth/shared/status-list/status-list';
import type { StatusStore } from '../../revocation/status-store.ts';
import { openDatabase } from '../schema.ts';
import { guarded } from '../sqlite.ts';

const TABLES = `
CREATE TABLE IF NOT EXISTS status_list (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status_part (
  list TEXT NOT NULL,
  part INTEGER NOT NULL,
  taken BLOB NOT NULL,
  marked BLOB NOT NULL,
  PRIMARY KEY (list, part)
) STRICT;`;

const STATEMENTS = {
  find: 'SELECT version FROM status_list WHERE name = ? AND expires_at > ?',
  create: 'INSERT INTO status_list (name, version, expires_at) VALUES (?, ?, ?)',
  lengthen: 'UPDATE status_list SET expires_at = max(expires_at, ?) WHERE name = ?',
  change: 'UPDATE status_list SET version = max(version + 1, ?) WHERE name = ?',
  createPart: 'INSERT INTO status_part (list, part, taken, marked) VALUES (?, ?, ?, ?)',
  part: 'SELECT taken, marked FROM status_part WHERE list = ? AND part = ?',
  replacePart: 'UPDATE status_part SET taken = ?, marked = ? WHERE list = ? AND part = ?',
  marked: 'SELECT marked FROM status_part WHERE list = ? ORDER BY part',
  dropParts: 'DELETE FROM status_part WHERE list IN (SELECT name FROM status_list WHERE expires_at <= ?)',
  drop: 'DELETE FROM status_list WHERE expires_at <= ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, StatementSync>>;

/** Bytes of one part. */
const PART = 512;

/**
 * @param path of the file, or `:memory:`
 * @throws StartError if the file cannot be written
 */
export function createSqliteStatusStore(path: string, clock: Clock): StatusStore {
  const database = openDatabase(path);
  database.exec(TABLES);
  const run = Object.fromEntries(
    Object.entries(STATEMENTS).map(([name, sql]) => [name, database.prepare(sql)]),
  ) as Statements;
  const versionOf = (list: string): number | undefined => {
    const row = run.find.get(list, seconds(clock));
    return row && Number(row.version);
  };

  return guarded<StatusStore>({
    create: async (list, decoys, ttl) =>
      atomic(database, () => {
        if (versionOf(list) !== undefined) return;
        // Once in a period, and a few lists at most.
        run.dropParts.run(seconds(clock));
        run.drop.run(seconds(clock));
        run.create.run(list, clock.now(), seconds(clock) + ttl);
        for (let part = 0; part * PART < decoys.length; part += 1) {
          const bits = decoys.subarray(part * PART, (part + 1) * PART);
          run.createPart.run(list, part, bits, bits);
        }
      }),
    allocate: async (list, candidates, ttl) =>
      atomic(database, () => {
        if (versionOf(list) === undefined) return 'missing';
        const idx = candidates.find((candidate) => take(run, list, candidate));
        if (idx === undefined) return 'full';
        run.lengthen.run(seconds(clock) + ttl, list);
        return idx;
      }),
    mark: async (list, indexes, decoys) =>
      atomic(database, () => {
        if (versionOf(list) === undefined) return;
        const changed = indexes.filter((idx) => mark(run, list, idx));
        if (changed.length === 0) return;
        for (const decoy of decoys) if (take(run, list, decoy)) mark(run, list, decoy);
        run.change.run(clock.now(), list);
      }),
    version: async (list) => versionOf(list),
    marks: async (list) => {
      const version = versionOf(list);
      if (version === undefined) return undefined;
      return { version, bits: Buffer.concat(run.marked.all(list).map(({ marked }) => marked as Uint8Array)) };
    },
    isMarked: async (list, idx) => {
      if (versionOf(list) === undefined) return undefined;
      const { bit, marked } = placeOf(run, list, idx);
      return isMarked(marked, bit);
    },
    close: async () => {
      if (database.isOpen) database.close();
    },
  });
}

interface Place {
  readonly part: number;
  readonly bit: number;
  readonly taken: Uint8Array;
  readonly marked: Uint8Array;
}

function placeOf(run: Statements, list: string, idx: number): Place {
  const part = Math.floor(idx / (PART * 8));
  const { taken, marked } = run.part.get(list, part) as Pick<Place, 'taken' | 'marked'>;
  return { part, bit: idx % (PART * 8), taken, marked };
}

/** @returns whether the entry was free */
function take(run: Statements, list: string, idx: number): boolean {
  const { part, bit, taken, marked } = placeOf(run, list, idx);
  if (isMarked(taken, bit)) return false;
  setBit(taken, bit);
  run.replacePart.run(taken, marked, list, part);
  return true;
}

/** @returns whether the entry was not marked before */
function mark(run: Statements, list: string, idx: number): boolean {
  const { part, bit, taken, marked } = placeOf(run, list, idx);
  if (isMarked(marked, bit)) return false;
  setBit(taken, bit);
  setBit(marked, bit);
  run.replacePart.run(taken, marked, list, part);
  return true;
}

/** One transaction, also beside other processes: it has the lock before it reads. */
function atomic<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
