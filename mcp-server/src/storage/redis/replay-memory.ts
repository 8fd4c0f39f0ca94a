/**
 * Owns the memory of used DPoP proofs that replicas share on Redis (RFC 9449 §11.1): one key for each, which
 * expires.
 */
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import type { ReplayMemory } from '../../authorization/dpop/replay-memory.ts';

export const redisReplayMemory = (client: RedisClient): ReplayMemory => ({
  firstUse: async (id, ttl) => (await client.set(`mcp:v1:dpop:${id}`, '', 'PX', Math.ceil(ttl), 'NX')) === 'OK',
});
