/**
 * Owns read access to auth-server's database file from outside: the expiry of records, and nothing of their content.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Stack } from '../support/stack.ts';

/** Expiry of all records of a kind, in seconds since the epoch, by id. */
export function recordEnds(stack: Stack, kind: string): ReadonlyMap<string, number> {
  const database = new DatabaseSync(join(stack.dataDir, 'auth-server.sqlite'), { readOnly: true });
  const rows = database.prepare('SELECT id, expires_at FROM record WHERE kind = ?').all(kind);
  database.close();
  return new Map(rows.map(({ id, expires_at }) => [String(id), Number(expires_at)]));
}
