/** Owns the shape of the SQLite file: one table of records, versioned. */
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
 * Opens the file, making it and its folder where they are missing.
 * @throws StartError when it can't be written or was made by a newer version
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
  // A crash of the process loses nothing in WAL mode with NORMAL; a power cut may lose the last moments, which costs a
  // client a new sign-in and never revives a code: codes live for a minute.
  // The time to wait comes first: another process may be opening the file at this very moment.
  database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > VERSION) throw new StartError(`DATA_DIR: ${path} was written by a newer version of auth-server`);
  database.exec(TABLE);
}
