/**
 * Owns the record store on Redis: a server, Sentinel or Cluster. Every guarantee of the port is one script on one key, so that it
 * holds for any number of processes and on any slot. Redis expires the records, so the clocks of the processes do not matter.
 */

import type { JsonObject } from '@mcp-oauth/shared/json';
import { redisFailureOf } from '@mcp-oauth/shared/redis/failures';
import { readLua } from '@mcp-oauth/shared/redis/lua';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import { createPatience, type Patience } from './patience.ts';
import { type PutOptions, type RecordStore, type StoredRecord, StoreUnavailable } from './record-store.ts';

/** The version changes when the format of the records changes; records of another version are never read. */
export const PREFIX = 'as:v1:';

/** The name of each script, and its file. */
const SCRIPTS: Readonly<Record<keyof Scripts, string>> = {
  asPut: 'put',
  asPutIfAbsent: 'put-if-absent',
  asReplace: 'replace',
  asTake: 'take',
  asConsume: 'consume',
  asTouch: 'touch',
};

type Fields = [value: string | null, consumed: string | null];

/** Commands that `defineCommand` adds to a client. */
interface Scripts {
  asPut(key: string, value: string, ttl: number): Promise<number>;
  asPutIfAbsent(key: string, value: string, ttl: number): Promise<number>;
  asReplace(key: string, before: string, after: string, ttl: number | ''): Promise<number>;
  asTake(key: string): Promise<Fields>;
  asConsume(key: string): Promise<number>;
  asTouch(key: string, ttl: number): Promise<number>;
}

const toRecord = ([value, consumed]: readonly (string | null)[]): StoredRecord | undefined => {
  if (!value) return undefined;
  const parsed = JSON.parse(value) as JsonObject;
  return consumed ? { value: parsed, consumedAt: Number(consumed) } : { value: parsed };
};

const keyOf = (kind: string, id: string): string => `${PREFIX}${kind}:${id}`;
const aliasKey = (kind: string, alias: string): string => `${PREFIX}alias:${kind}:${alias}`;

/** Milliseconds that a command waits to be sent while there is no connection: a restart of Redis takes up to three seconds. */
export const PATIENCE = 5_000;

/** Waits for the first connection. Later, commands fail if there is no connection within `patience`. */
export async function createRedisStore(client: RedisClient, patience = PATIENCE): Promise<RecordStore> {
  for (const [name, file] of Object.entries(SCRIPTS)) {
    const lua = readLua(new URL(`./scripts/${file}.lua`, import.meta.url));
    client.defineCommand(name, { numberOfKeys: 1, lua });
  }
  const redis = client as RedisClient & Scripts;
  await whenReady(client);

  const putAlias = async (kind: string, id: string, { ttl, alias }: PutOptions): Promise<void> => {
    if (alias !== undefined) await redis.set(aliasKey(kind, alias), id, 'EX', ttl);
  };
  const get = (kind: string, id: string) => redis.hmget(keyOf(kind, id), 'value', 'consumed').then(toRecord);

  const store: RecordStore = {
    put: async (kind, id, value, options) => {
      const record = redis.asPut(keyOf(kind, id), JSON.stringify(value), options.ttl);
      await Promise.all([putAlias(kind, id, options), record]);
    },
    putIfAbsent: async (kind, id, value, options) => {
      const first = (await redis.asPutIfAbsent(keyOf(kind, id), JSON.stringify(value), options.ttl)) === 1;
      if (first) await putAlias(kind, id, options);
      return first;
    },
    replace: async (kind, id, { before, after, ttl }) =>
      (await redis.asReplace(keyOf(kind, id), JSON.stringify(before), JSON.stringify(after), ttl ?? '')) === 1,
    get,
    getByAlias: async (kind, alias) => {
      const id = await redis.get(aliasKey(kind, alias));
      return id === null ? undefined : get(kind, id);
    },
    take: async (kind, id) => toRecord(await redis.asTake(keyOf(kind, id))),
    consume: async (kind, id) => (await redis.asConsume(keyOf(kind, id))) === 1,
    touch: async (kind, id, ttl) => {
      await redis.asTouch(keyOf(kind, id), ttl);
    },
    delete: async (kind, id) => {
      await redis.unlink(keyOf(kind, id));
    },
    close: async () => {
      await client.quit().catch(() => client.disconnect());
    },
  };
  return patient(store, createPatience(client, patience), READS);
}

/** Operations of records that may be repeated if the connection broke before the answer. */
const READS = new Set(['get', 'getByAlias']);

/** Gives an outage of Redis one name for callers. A bug in this file, or a command that Redis refuses as wrong, stays what it is. */
const translated = (error: unknown): unknown =>
  redisFailureOf(error) === 'unavailable' ? new StoreUnavailable(error) : error;

/**
 * Ensures that a call waits for a connection that was lost, and that callers see an outage as StoreUnavailable.
 * @param repeatable names of the operations that may run twice
 */
export function patient<T extends { close(): Promise<void> }>(
  store: T,
  { connected, atPrimary }: Patience,
  repeatable: ReadonlySet<string>,
): T {
  const guarded = Object.entries(store as object).map(([name, run]) => [
    name,
    (...args: unknown[]): Promise<unknown> => {
      const send = () => atPrimary<unknown>(() => run(...args));
      const waiting = connected();
      return (waiting ? waiting.then(send) : send()).catch((cause) => {
        const again = repeatable.has(name) && redisFailureOf(cause) === 'unavailable' ? connected() : undefined;
        if (!again) throw translated(cause);
        return again.then(send).catch((second) => {
          throw translated(second);
        });
      });
    },
  ]);
  return { ...Object.fromEntries(guarded), close: store.close };
}
