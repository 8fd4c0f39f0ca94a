/** Owns the directory of grants in the SQLite file. Every operation is one statement, so that it holds across processes. */
import type { SQLOutputValue } from 'node:sqlite';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import {
  badCursor,
  type GrantDirectory,
  type GrantEntry,
  PAGE,
  type Page,
  type Party,
} from '../../revocation/grant-directory.ts';
import { openDatabase } from '../schema.ts';
import { guarded } from '../sqlite.ts';

/** Maximum number of expired rows that one write removes. */
const SWEEP_ROWS = 100;

/** A cursor is the last row of a page: its expiry and its id. */
const CURSOR = /^(\d{1,15}):(.{1,2048})$/s;
const FIRST = [Number.MAX_SAFE_INTEGER, ''] as const;
const LAST = [0, ''] as const;

type Place = readonly [expiresAt: number, id: string];
type Row = Record<string, SQLOutputValue>;

const entries = (where: string) =>
  `SELECT id, value, last_used_at, expires_at FROM grant_entry WHERE ${where} expires_at > ? AND (expires_at, id) < (?, ?)
   ORDER BY expires_at DESC, id DESC LIMIT ${PAGE}`;
const ids = (where: string) =>
  `SELECT id, expires_at FROM grant_entry WHERE ${where} expires_at > ? AND (expires_at, id) > (?, ?)
   ORDER BY expires_at, id LIMIT ${PAGE}`;
const parties = (column: string) =>
  `SELECT ${column} AS id, count(*) AS grants, max(last_used_at) AS last_used_at, max(expires_at) AS expires_at
   FROM grant_entry WHERE expires_at > ? GROUP BY ${column} HAVING (max(expires_at), ${column}) < (?, ?)
   ORDER BY max(expires_at) DESC, ${column} DESC LIMIT ${PAGE}`;

const PERSON = 'account_id = ? AND';
const CLIENT = 'client_id = ? AND';

/** @param path of the file, or `:memory:` */
export function createSqliteDirectory(path: string, clock: Clock): GrantDirectory {
  const database = openDatabase(path);
  const now = () => seconds(clock);
  const put = database.prepare(
    `INSERT INTO grant_entry (id, account_id, client_id, value, last_used_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET account_id = excluded.account_id, client_id = excluded.client_id, value = excluded.value,
     last_used_at = excluded.last_used_at, expires_at = excluded.expires_at`,
  );
  const sweep = database.prepare(
    `DELETE FROM grant_entry WHERE id IN (SELECT id FROM grant_entry WHERE expires_at <= ? LIMIT ${SWEEP_ROWS})`,
  );
  const get = database.prepare(
    'SELECT id, value, last_used_at, expires_at FROM grant_entry WHERE id = ? AND expires_at > ?',
  );
  const touch = database.prepare(
    'UPDATE grant_entry SET last_used_at = max(last_used_at, ?) WHERE id = ? AND expires_at > ?',
  );
  const remove = database.prepare('DELETE FROM grant_entry WHERE id = ?');
  const lists = {
    all: database.prepare(entries('')),
    person: database.prepare(entries(PERSON)),
    client: database.prepare(entries(CLIENT)),
    people: database.prepare(parties('account_id')),
    clients: database.prepare(parties('client_id')),
  };
  const walks = {
    all: database.prepare(ids('')),
    person: database.prepare(ids(PERSON)),
    client: database.prepare(ids(CLIENT)),
  };

  return guarded({
    put: async (entry) => {
      const { id, accountId, clientId, lastUsedAt, expiresAt, ...rest } = entry;
      put.run(id, accountId, clientId, JSON.stringify({ accountId, clientId, ...rest }), lastUsedAt, expiresAt);
      sweep.run(now());
    },
    touch: async (id, usedAt = 0) => touch.run(usedAt, id, now()).changes === 1,
    remove: async (id) => {
      remove.run(id);
    },
    get: async (id) => {
      const row = get.get(id, now());
      return row && toEntry(row);
    },
    list: async (cursor) => pageOf(lists.all.all(now(), ...placeOf(cursor, FIRST)), toEntry),
    byPerson: async (accountId, cursor) =>
      pageOf(lists.person.all(accountId, now(), ...placeOf(cursor, FIRST)), toEntry),
    byClient: async (clientId, cursor) => pageOf(lists.client.all(clientId, now(), ...placeOf(cursor, FIRST)), toEntry),
    people: async (cursor) => pageOf(lists.people.all(now(), ...placeOf(cursor, FIRST)), toParty),
    clients: async (cursor) => pageOf(lists.clients.all(now(), ...placeOf(cursor, FIRST)), toParty),
    ids: async ({ accountId, clientId }, cursor) => {
      const rest = [now(), ...placeOf(cursor, LAST)] as const;
      const person = accountId === undefined ? undefined : walks.person.all(accountId, ...rest);
      const client = clientId === undefined ? undefined : walks.client.all(clientId, ...rest);
      return pageOf(person ?? client ?? walks.all.all(...rest), ({ id }) => String(id));
    },
    close: async () => {
      if (database.isOpen) database.close();
    },
  });
}

function placeOf(cursor: string | undefined, otherwise: Place): Place {
  if (cursor === undefined) return otherwise;
  const [, expiresAt, id] = CURSOR.exec(cursor) ?? [];
  if (expiresAt === undefined || id === undefined) throw badCursor();
  return [Number(expiresAt), id];
}

function pageOf<T>(rows: readonly Row[], read: (row: Row) => T): Page<T> {
  const last = rows.at(-1);
  const items = rows.map(read);
  return rows.length < PAGE || !last ? { items } : { items, next: `${last.expires_at}:${last.id}` };
}

const toEntry = (row: Row): GrantEntry => ({
  ...JSON.parse(String(row.value)),
  id: String(row.id),
  lastUsedAt: Number(row.last_used_at),
  expiresAt: Number(row.expires_at),
});

const toParty = (row: Row): Party => ({
  id: String(row.id),
  grants: Number(row.grants),
  lastUsedAt: Number(row.last_used_at),
});
