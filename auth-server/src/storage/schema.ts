/** Owns the schema of the SQLite file: versioned steps, which a file of an earlier version takes when it is opened. */
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '@mcp-oauth/shared/errors';
import { prepareFile } from './private-file.ts';

/** The file has the number of the last step that it has taken. A step that was released never changes. */
const STEPS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    consumed_at INTEGER,
    alias TEXT,
    PRIMARY KEY (kind, id)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX IF NOT EXISTS record_alias ON record (kind, alias) WHERE alias IS NOT NULL;
  CREATE INDEX IF NOT EXISTS record_expiry ON record (expires_at);`,
  `CREATE TABLE grant_entry (
    id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    client_id TEXT NOT NULL,
    value TEXT NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX grant_entry_expiry ON grant_entry (expires_at, id);
  CREATE INDEX grant_entry_person ON grant_entry (account_id, expires_at, id);
  CREATE INDEX grant_entry_client ON grant_entry (client_id, expires_at, id);`,
];

/**
 * Opens the file, and creates it and its folder if they are missing.
 * @throws StartError if it cannot be written or was made by a newer version
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') prepareFile(path);
    const database = new DatabaseSync(path);
    try {
      setUp(database, path);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  } catch (cause) {
    if (cause instanceof StartError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`DATA_DIR: ${path} can't be written (${reason})`, { cause });
  }
}

function setUp(database: DatabaseSync, path: string): void {
  // In WAL mode with NORMAL a crash of the process loses nothing. A power cut may lose the last moments: a client may have to sign in
  // again, but no used code becomes valid again, because codes live for a minute.
  // busy_timeout comes first, because another process may open the file at the same time.
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  if (versionOf(database) === STEPS.length) return;
  // Of processes that open the file at once, one takes the steps, and the others wait for it.
  database.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(database);
    if (version > STEPS.length) throw new StartError(`DATA_DIR: ${path} was written by a newer version of auth-server`);
    for (const step of STEPS.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${STEPS.length}; COMMIT`);
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

const versionOf = (database: DatabaseSync): number =>
  Number(database.prepare('PRAGMA user_version').get()?.user_version);
