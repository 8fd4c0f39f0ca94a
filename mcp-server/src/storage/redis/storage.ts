/** Owns the session storage on Redis: a server, Sentinel or Cluster, for any number of replicas. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Logger } from '@mcp-oauth/shared/logger';
import { type RedisClient, whenReady } from '@mcp-oauth/shared/redis/ready';
import type { LogLimits, SessionStorage } from '../../sessions/ports.ts';
import type { SessionLimits } from '../../sessions/session.ts';
import { createRedisChangeLog } from './change-log.ts';
import { createRedisEventLog } from './event-log.ts';
import { failingFast } from './failing-fast.ts';
import { createLedger } from './ledger.ts';
import { createRedisBus } from './message-bus.ts';
import { withScripts } from './scripts.ts';
import { createRedisSessionStore } from './session-store.ts';

export interface RedisStorageDependencies {
  readonly client: RedisClient;
  /** A second connection to the same Redis. */
  readonly listener: RedisClient;
  readonly limits: SessionLimits;
  readonly logLimits: LogLimits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds; absent: no limit. */
  readonly patience?: number;
}

/** Waits for the first connection. Later commands fail immediately while there is no connection. */
export async function createRedisStorage(dependencies: RedisStorageDependencies): Promise<SessionStorage> {
  const { client, listener, limits, logLimits, clock, log, patience } = dependencies;
  await Promise.all([whenReady(client, patience), whenReady(listener, patience)]);
  const redis = withScripts(client);
  const replica = randomBytes(6).toString('hex');
  const ledger = createLedger(redis, logLimits, clock);
  const bus = await createRedisBus({ replica, redis, listener, log });
  return {
    store: failingFast(createRedisSessionStore(redis, limits, clock, ledger), log),
    log: failingFast(createRedisEventLog(redis, logLimits, ledger), log),
    bus: failingFast(bus, log),
    changes: failingFast(createRedisChangeLog(redis), log),
  };
}
