/** Owns the choice of the session storage by the settings, and how it is opened. */
import type { Clock } from '@mcp-oauth/shared/clock';
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { StartError } from '@mcp-oauth/shared/errors';
import type { Logger } from '@mcp-oauth/shared/logger';
import { createRedisHealth, type RedisHealth } from '@mcp-oauth/shared/redis/health';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { redisPatienceOf } from '@mcp-oauth/shared/redis/settings';
import type { RedisTarget } from '@mcp-oauth/shared/redis/target';
import type { LogLimits, SessionStorage } from '../sessions/ports.ts';
import type { SessionLimits } from '../sessions/session.ts';
import { createMemoryStorage } from './memory/storage.ts';
import { PREFIX } from './redis/scripts.ts';
import { createRedisStorage } from './redis/storage.ts';

export interface StorageSettings {
  readonly redisTarget: RedisTarget | undefined;
  readonly redisCaFile: string | undefined;
  /** Seconds; 0: no limit. */
  readonly redisStartTimeout: number;
}

export interface StorageDependencies {
  readonly limits: SessionLimits;
  readonly logLimits: LogLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds to wait for Redis; absent: as the settings say. */
  readonly patience?: number;
}

export interface Storage {
  readonly sessions: SessionStorage;
  /** The storage that replicas share; absent: there is a single replica. */
  readonly redis: RedisClient | undefined;
  /** Whether Redis accepts writes. */
  readonly health: RedisHealth | undefined;
  close(): Promise<void>;
}

/**
 * Waits for Redis if the settings name one, and logs that it waits.
 * @throws StartError when Redis is not available in time, or accepts the connection but denies the commands
 */
export async function openStorage(settings: StorageSettings, dependencies: StorageDependencies): Promise<Storage> {
  const { redisTarget, redisCaFile } = settings;
  const { limits, logLimits, clock, log, patience } = dependencies;
  if (!redisTarget) {
    return {
      sessions: createMemoryStorage(clock, limits, logLimits)(),
      redis: undefined,
      health: undefined,
      close: async () => {},
    };
  }
  const health = createRedisHealth({ log, prefix: PREFIX });
  const { openRedis } = await import('@mcp-oauth/shared/redis');
  const open = (name: string) => openRedis({ target: redisTarget, name, caFile: redisCaFile, log, health });
  const [client, listener] = [open('mcp-server'), open('mcp-server-bus')];
  await health.whenWritable(patience ?? redisPatienceOf(settings));
  return {
    sessions: await createRedisStorage({ client, listener, ...dependencies }).catch(refuseUnusable),
    redis: client,
    health,
    close: async () => {
      await client.quit().catch(() => client.disconnect());
    },
  };
}

function refuseUnusable(error: unknown): never {
  throw error instanceof StartError ? error : new StartError(`REDIS_URL: ${reasonOf(error)}`, { cause: error });
}
