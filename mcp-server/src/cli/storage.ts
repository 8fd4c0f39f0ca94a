/** Owns how a command opens the sessions of all replicas: by the same settings, in the same Redis, while the command runs. */
import { systemClock } from '@mcp-oauth/shared/clock';
import { StartError } from '@mcp-oauth/shared/errors';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { readConfig } from '../config.ts';
import { limitsOf, logLimitsOf } from '../limits.ts';
import { type SessionStorage, StorageFault, StorageUnavailable } from '../sessions/ports.ts';
import { openStorage } from '../storage/open.ts';

export type Sessions = Pick<SessionStorage, 'store' | 'bus'>;

/** Runs `work` on the sessions in the Redis that the environment names, and closes the connection in any case. */
export type WithSessions = <T>(env: Environment, work: (sessions: Sessions) => Promise<T>) => Promise<T>;

/** Milliseconds: an operator waits at a prompt. */
const PATIENCE = 5_000;

const IN_MEMORY =
  'REDIS_URL is not set: the sessions are in the memory of the server, which no command can reach. Restart the server to end all sessions, or store them in Redis.';

export const withSessions: WithSessions = async (env, work) => {
  const config = readConfig(env);
  if (!config.redisTarget) throw new StartError(IN_MEMORY);
  const storage = await openStorage(config, {
    limits: limitsOf(config),
    logLimits: logLimitsOf(config),
    clock: systemClock,
    // Standard output is for the command; a problem with Redis reaches it as an error.
    log: createLogger('mcp-server', 'silent'),
    patience: PATIENCE,
  });
  try {
    return await work(storage.sessions);
  } catch (error) {
    if (!(error instanceof StorageUnavailable) || error instanceof StorageFault) throw error;
    throw new StartError(`REDIS_URL: not reachable (${error.message})`, { cause: error });
  } finally {
    await storage.sessions.bus.close();
    await storage.close();
  }
};
