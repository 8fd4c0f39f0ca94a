/** Owns how the storage backend of the settings is opened, for the server and for its commands. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { createRedisHealth, type RedisHealth } from '@mcp-oauth/shared/redis/health';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { redisPatienceOf } from '@mcp-oauth/shared/redis/settings';
import type { RedisTarget } from '@mcp-oauth/shared/redis/target';
import type { GrantDirectory } from '../revocation/grant-directory.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { createRedisDirectory } from './directory/redis.ts';
import { createSqliteDirectory } from './directory/sqlite.ts';
import { type CreateRateLimit, rateLimitsOn } from './rate-limit.ts';
import type { RecordStore } from './record-store.ts';
import { createRedisStore, PREFIX } from './redis.ts';
import { createSealedStore } from './sealed.ts';
import { unsealedPolicyOf } from './settings.ts';
import { createSqliteStore } from './sqlite.ts';
import { createRedisStatusStore } from './status/redis.ts';
import { createSqliteStatusStore } from './status/sqlite.ts';

export interface StorageSettings {
  readonly redisTarget: RedisTarget | undefined;
  readonly redisCaFile: string | undefined;
  /** Seconds; 0: without limit. */
  readonly redisStartTimeout: number;
  readonly dataDir: string;
  readonly storageKeys: readonly Buffer[] | undefined;
  readonly storageReadUnsealed: boolean | undefined;
  readonly environment: string;
  /** Seconds. */
  readonly clientLifetime: number;
}

export interface StorageDependencies {
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds to wait for Redis; absent: the time of the settings. */
  readonly patience?: number;
  /** Stands between the backend and the encryption; absent: nothing does. */
  readonly layer?: (store: RecordStore) => RecordStore;
}

export interface Storage {
  readonly store: RecordStore;
  readonly directory: GrantDirectory;
  readonly statusStore: StatusStore;
  readonly createRateLimit: CreateRateLimit;
  /** The Redis that all processes share; absent: there is only one process. */
  readonly redis: RedisClient | undefined;
  /** Whether Redis accepts writes. */
  readonly health: RedisHealth | undefined;
  close(): Promise<void>;
}

/** The root of a relative DATA_DIR, independent of the working directory. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** @throws StartError if the backend cannot be used */
export async function openStorage(
  settings: StorageSettings,
  { clock, log, patience, layer = (store) => store }: StorageDependencies,
): Promise<Storage> {
  const { redisTarget, redisCaFile, dataDir, storageKeys, clientLifetime } = settings;
  const [first, ...older] = storageKeys ?? [];
  const onRefused = (id: string, kind: string) =>
    kind === 'Client'
      ? log.warn(
          { client: id },
          'the secret of this client is not encrypted in the store: the client is treated as unknown',
        )
      : log.warn({ kind, id }, 'this record is not encrypted in the store: it is treated as missing');
  const unsealed = { policy: unsealedPolicyOf(settings), clientLifetime, onRefused };
  const sealed = (backend: RecordStore) => {
    const store = layer(backend);
    return first ? createSealedStore(store, [first, ...older], unsealed) : store;
  };
  if (!redisTarget) {
    const file = resolve(ROOT, dataDir, 'auth-server.sqlite');
    return closing({
      store: sealed(createSqliteStore(file, clock)),
      directory: createSqliteDirectory(file, clock),
      statusStore: createSqliteStatusStore(file, clock),
      createRateLimit: rateLimitsOn(undefined),
      redis: undefined,
      health: undefined,
    });
  }
  const health = createRedisHealth({ log, prefix: PREFIX });
  const { openRedis } = await import('@mcp-oauth/shared/redis');
  const client = openRedis({ target: redisTarget, name: 'auth-server', caFile: redisCaFile, log, health });
  await health.whenWritable(patience ?? redisPatienceOf(settings));
  return closing({
    store: sealed(await createRedisStore(client)),
    directory: createRedisDirectory(client, clock),
    statusStore: await createRedisStatusStore(client),
    createRateLimit: rateLimitsOn(client),
    redis: client,
    health,
  });
}

/** Storage that is closed as a whole. */
export const closing = (storage: Omit<Storage, 'close'>): Storage => ({
  ...storage,
  close: async () => {
    await storage.statusStore.close();
    await storage.directory.close();
    await storage.store.close();
  },
});
