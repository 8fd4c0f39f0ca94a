/** Owns the schema of the SQLite file: one versioned table of records. */
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '@mcp-oauth/shared/errors';
import { prepareFile } from './private-file.ts';

const VERSION = 1;

const TABLE = `
CREATE TABLE IF NOT EXISTS record (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  consumed_at INTEGER,
  alias TEXT,
  PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS record_alias ON record (kind, alias) WHERE alias IS NOT NULL;
CREATE INDEX IF NOT EXISTS record_expiry ON record (expires_at);
PRAGMA user_version = ${VERSION};`;

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
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > VERSION) throw new StartError(`DATA_DIR: ${path} was written by a newer version of auth-server`);
  database.exec(TABLE);
}
