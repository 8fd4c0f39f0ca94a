/** Owns the wiring of the storage: sessions, sealing keys, and the memory of used proofs. */
import type { ReplayMemory } from '../authorization/dpop/replay-memory.ts';
import type { Config } from '../config.ts';
import { configuredKeys, type SealingKeys, sharedKeys } from '../keys/sealing-keys.ts';
import { limitsOf, logLimitsOf } from '../limits.ts';
import { memoryKeyRecord } from '../storage/memory/key-record.ts';
import { memoryReplayMemory } from '../storage/memory/replay-memory.ts';
import { openStorage, type Storage } from '../storage/open.ts';
import { redisKeyRecord } from '../storage/redis/key-record.ts';
import { redisReplayMemory } from '../storage/redis/replay-memory.ts';
import type { ProcessDependencies } from './process.ts';

export interface ComposedStorage extends Storage {
  readonly keys: SealingKeys;
  readonly replays: ReplayMemory;
}

/** @throws StartError when the storage of the settings can't be used */
export async function composeStorage(
  config: Config,
  { clock, log }: Pick<ProcessDependencies, 'clock' | 'log'>,
): Promise<ComposedStorage> {
  const { sealingKeys } = config;
  const storage = await openStorage(config, { limits: limitsOf(config), logLimits: logLimitsOf(config), clock, log });
  const { redis } = storage;
  return {
    ...storage,
    keys: sealingKeys
      ? configuredKeys(sealingKeys)
      : sharedKeys(redis ? redisKeyRecord(redis) : memoryKeyRecord(), clock),
    replays: redis ? redisReplayMemory(redis) : memoryReplayMemory(clock),
  };
}
