/**
 * Owns the status lists on Redis: each list is three keys with one hash tag, so that they are on one node of a Cluster, and every
 * guarantee of the port is one script. An allocation is one round trip.
 */

import { readLua } from '@mcp-oauth/shared/redis/lua';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import type { StatusStore } from '../../revocation/status-store.ts';
import { createPatience } from '../patience.ts';
import { PATIENCE, PREFIX, patient } from '../redis.ts';

/** The name of each script, and its file. */
const SCRIPTS: Readonly<Record<keyof Scripts, string>> = {
  asCreateStatusList: 'create',
  asAllocateStatus: 'allocate',
  asMarkStatus: 'mark',
};

type Keys = readonly [taken: string, marked: string, version: string];

/** Commands that `defineCommand` adds to a client. */
interface Scripts {
  asCreateStatusList(...args: [...keys: Keys, decoys: Buffer, ttl: number]): Promise<number>;
  asAllocateStatus(...args: [...keys: Keys, ttl: number, ...candidates: number[]]): Promise<number>;
  asMarkStatus(...args: [...keys: Keys, count: number, ...indexes: number[]]): Promise<number>;
}

/** Every operation may be repeated if the connection broke before the answer: at worst an entry stays unused. */
const REPEATABLE = new Set(['create', 'allocate', 'mark', 'version', 'marks', 'isMarked']);

const keysOf = (list: string): Keys => {
  const key = (part: string) => `${PREFIX}status:{${list}}:${part}`;
  return [key('taken'), key('marked'), key('version')];
};

/** Redis counts the bits of a byte from the most significant one, and a status list from the least (Token Status List §4.1). */
const position = (idx: number): number => idx ^ 7;

/** @param client is closed by its owner */
export async function createRedisStatusStore(client: RedisClient, patience = PATIENCE): Promise<StatusStore> {
  for (const [name, file] of Object.entries(SCRIPTS)) {
    client.defineCommand(name, {
      numberOfKeys: 3,
      lua: readLua(new URL(`./scripts/${file}.lua`, import.meta.url)),
    });
  }
  const redis = client as RedisClient & Scripts;
  await whenReady(client);

  const version = async (list: string): Promise<number | undefined> => {
    const [, , key] = keysOf(list);
    const found = await redis.get(key);
    return found === null ? undefined : Number(found);
  };

  const store: StatusStore = {
    create: async (list, decoys, ttl) => {
      await redis.asCreateStatusList(...keysOf(list), Buffer.from(decoys), ttl);
    },
    allocate: async (list, candidates, ttl) => {
      const taken = await redis.asAllocateStatus(...keysOf(list), ttl, ...candidates.map(position));
      if (taken === -2) return 'missing';
      return taken === -1 ? 'full' : position(taken);
    },
    mark: async (list, indexes, decoys) => {
      await redis.asMarkStatus(...keysOf(list), indexes.length, ...[...indexes, ...decoys].map(position));
    },
    version,
    marks: async (list) => {
      // The version first: marks that come in between are then read again with the next version.
      const current = await version(list);
      if (current === undefined) return undefined;
      const [, marked] = keysOf(list);
      const bits = await redis.getBuffer(marked);
      return bits === null ? undefined : { version: current, bits };
    },
    isMarked: async (list, idx) => {
      const [, marked, key] = keysOf(list);
      // Two commands that travel together.
      const [bit, isThere] = await Promise.all([redis.getbit(marked, position(idx)), redis.exists(key)]);
      return isThere === 1 ? bit === 1 : undefined;
    },
    close: async () => {},
  };
  return patient(store, createPatience(client, patience), REPEATABLE);
}
