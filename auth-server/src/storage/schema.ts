/** Owns the shape of the SQLite file: one table of records, versioned, private to the user that runs the server. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '@mcp-oauth/shared/errors';

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
  const database = path === ':memory:' ? new DatabaseSync(path) : openFile(path);
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version);
  if (version > VERSION) {
    database.close();
    throw new StartError(`DATA_DIR: ${path} was written by a newer version of auth-server`);
  }
  database.exec(TABLE);
  return database;
}

function openFile(path: string): DatabaseSync {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    // Made here, so that it is never readable by others: it holds private keys. SQLite gives its mode to the WAL file too.
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path);
    // A crash of the process loses nothing in WAL mode with NORMAL; a power cut may lose the last moments, which costs a
    // client a new sign-in and never revives a code: codes live for a minute.
    // The time to wait comes first: another process may be opening the file at this very moment.
    database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    return database;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`DATA_DIR: ${path} can't be written (${reason})`, { cause });
  }
}
