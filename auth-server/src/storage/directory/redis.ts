/**
 * Owns the directory of grants on Redis: a server, Sentinel or Cluster. An entry is one key; it is found by indexes, sorted by expiry,
 * of all grants, of each person and client, of the people and of the clients. The indexes are written first: an entry that exists is
 * in all of them, and whatever breaks in between leaves nothing but a member without an entry, which expires.
 */
import { hash } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { readLua } from '@mcp-oauth/shared/redis/lua';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import {
  badCursor,
  type GrantDirectory,
  type GrantEntry,
  PAGE,
  type Page,
  type Party,
} from '../../revocation/grant-directory.ts';
import { createPatience } from '../patience.ts';
import { PATIENCE, PREFIX, patient } from '../redis.ts';

/** The name of each script, and its file. */
const SCRIPTS: Readonly<Record<keyof Scripts, string>> = {
  asDirectoryPut: 'directory-put',
  asDirectoryTouch: 'directory-touch',
  asDirectoryIndex: 'directory-index',
};

/** Commands that `defineCommand` adds to a client. */
interface Scripts {
  asDirectoryPut(entry: string, value: string, used: number, ttl: number): Promise<number>;
  asDirectoryTouch(entry: string, used: number): Promise<number>;
  asDirectoryIndex(index: string, expiry: number, member: string, now: number): Promise<number>;
}

const entryKey = (id: string): string => `${PREFIX}grants:entry:${id}`;
const ALL = `${PREFIX}grants:all`;
const PEOPLE = `${PREFIX}grants:people`;
const CLIENTS = `${PREFIX}grants:clients`;
const personKey = (accountId: string): string => `${PREFIX}grants:person:${accountId}`;
const clientKey = (clientId: string): string => `${PREFIX}grants:client:${clientId}`;

/** A cursor is the score of the last member of a page. */
const CURSOR = /^\d{1,12}(?:\.\d{1,20})?$/;

/** Members that expire in the same second have different scores, with very few exceptions, so that a page can end between them. */
const scoreOf = (expiresAt: number, member: string): number =>
  expiresAt + Number.parseInt(hash('sha256', member, 'hex').slice(0, 5), 16) / 2 ** 20;

export function createRedisDirectory(client: RedisClient, clock: Clock, patience = PATIENCE): GrantDirectory {
  for (const [name, file] of Object.entries(SCRIPTS)) {
    const lua = readLua(new URL(`../scripts/${file}.lua`, import.meta.url));
    client.defineCommand(name, { numberOfKeys: 1, lua });
  }
  const redis = client as RedisClient & Scripts;
  const now = () => seconds(clock);

  const get = async (id: string): Promise<GrantEntry | undefined> => {
    const [value, used] = await redis.hmget(entryKey(id), 'value', 'used');
    return value ? { ...JSON.parse(value), lastUsedAt: Number(used) } : undefined;
  };

  /** The members after a cursor, in the order of the index or against it. All with the score of the last one are on the same page. */
  async function membersOf(index: string, cursor: string | undefined, order: 'up' | 'down'): Promise<Page<string>> {
    if (cursor !== undefined && !CURSOR.test(cursor)) throw badCursor();
    const alive = now() + 1;
    const read = (from: string | number, to: string | number, count: number) =>
      order === 'up'
        ? redis.zrangebyscore(index, from, to, 'WITHSCORES', 'LIMIT', 0, count)
        : redis.zrevrangebyscore(index, to, from, 'WITHSCORES', 'LIMIT', 0, count);
    const after = cursor === undefined ? undefined : `(${cursor}`;
    const found = order === 'up' ? await read(after ?? alive, '+inf', PAGE) : await read(alive, after ?? '+inf', PAGE);
    const members = found.filter((_, place) => place % 2 === 0);
    const last = found.at(-1);
    if (members.length < PAGE || last === undefined) return { items: members };
    const same = await redis.zrangebyscore(index, last, last);
    return { items: [...new Set([...members, ...same])], next: last };
  }

  async function entriesOf(index: string, cursor: string | undefined): Promise<Page<GrantEntry>> {
    const { items, next } = await membersOf(index, cursor, 'down');
    const found = await Promise.all(items.map(get));
    return { items: found.filter((entry) => entry !== undefined), next };
  }

  async function partiesOf(
    index: string,
    keyOf: (id: string) => string,
    cursor: string | undefined,
  ): Promise<Page<Party>> {
    const { items, next } = await membersOf(index, cursor, 'down');
    const found = await Promise.all(
      items.map(async (id): Promise<Party | undefined> => {
        const [newest, grants] = await Promise.all([
          entriesOf(keyOf(id), undefined),
          redis.zcount(keyOf(id), now() + 1, '+inf'),
        ]);
        // The last grant of a party may have ended; the party stays in the index until it would have expired.
        if (newest.items.length === 0) return undefined;
        return { id, grants, lastUsedAt: Math.max(...newest.items.map(({ lastUsedAt }) => lastUsedAt)) };
      }),
    );
    return { items: found.filter((party) => party !== undefined), next };
  }

  const directory: GrantDirectory = {
    put: async ({ lastUsedAt, ...entry }) => {
      const { id, accountId, clientId, expiresAt } = entry;
      const add = (index: string, member: string) =>
        redis.asDirectoryIndex(index, scoreOf(expiresAt, member), member, now());
      await Promise.all([
        add(ALL, id),
        add(personKey(accountId), id),
        add(clientKey(clientId), id),
        add(PEOPLE, accountId),
        add(CLIENTS, clientId),
      ]);
      const ttl = Math.max(1, expiresAt - now());
      await redis.asDirectoryPut(entryKey(id), JSON.stringify(entry), lastUsedAt, ttl);
    },
    touch: async (id, usedAt = 0) => (await redis.asDirectoryTouch(entryKey(id), usedAt)) === 1,
    remove: async (id) => {
      const entry = await get(id);
      const indexes = entry ? [ALL, personKey(entry.accountId), clientKey(entry.clientId)] : [ALL];
      // The entry goes last: whoever repeats an interrupted removal needs it.
      await Promise.all(indexes.map((index) => redis.zrem(index, id)));
      await redis.unlink(entryKey(id));
    },
    get,
    list: (cursor) => entriesOf(ALL, cursor),
    byPerson: (accountId, cursor) => entriesOf(personKey(accountId), cursor),
    byClient: (clientId, cursor) => entriesOf(clientKey(clientId), cursor),
    people: (cursor) => partiesOf(PEOPLE, personKey, cursor),
    clients: (cursor) => partiesOf(CLIENTS, clientKey, cursor),
    ids: ({ accountId, clientId }, cursor) => {
      const person = accountId === undefined ? undefined : personKey(accountId);
      const client = clientId === undefined ? undefined : clientKey(clientId);
      return membersOf(person ?? client ?? ALL, cursor, 'up');
    },
    // The client belongs to the record store, which closes it.
    close: async () => {},
  };
  // Every operation may run twice: the second time changes nothing.
  return patient(directory, createPatience(client, patience), new Set(Object.keys(directory)));
}
