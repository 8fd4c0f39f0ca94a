/** Proves that lists of sessions on Redis are complete: of all, while sessions are used and end, and of one owner. */
import { createLogger } from '@mcp-oauth/shared/logger';
import { openRedis } from '@mcp-oauth/shared/redis';
import { whenReady } from '@mcp-oauth/shared/redis/ready';
import { redisUrl } from '@mcp-oauth/shared/redis/target';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { hasRedis, NEEDS_REDIS, startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { describe, expect, it } from 'vitest';
import type { McpSession } from '../../../src/sessions/session.ts';
import { withScripts } from '../../../src/storage/redis/scripts.ts';
import { createRedisSessionStore } from '../../../src/storage/redis/session-store.ts';

const SESSIONS = 600;
const LIMITS = { idleTimeout: 600, lifetime: 6_000, maxSessions: 10_000, maxSessionsPerPrincipal: 10_000 };

describe.skipIf(!hasRedis)(hasRedis ? 'the list of sessions on Redis' : NEEDS_REDIS, () => {
  const clock = new FakeClock(Date.now());
  const session = (id: string, more: Partial<McpSession> = {}): McpSession => ({
    id,
    owner: { issuer: 'https://as.example', subject: 'ada', clientId: 'desk' },
    transport: 'streamable-http',
    subscriptions: [],
    created: clock.now(),
    usedUntil: clock.now(),
    tokenExpiresAt: 1,
    ...more,
  });
  const open = async (redis: TestRedis) => {
    const log = createLogger('test', 'fatal');
    const client = openRedis({ target: redisUrl().parse(redis.url), name: 'test', log });
    await whenReady(client);
    const store = createRedisSessionStore(withScripts(client), LIMITS, clock, { tell: async () => {} });
    return { store, [Symbol.dispose]: () => client.disconnect() };
  };

  it('the list has every session exactly once that exists throughout the listing', async () => {
    await using redis = await startRedis();
    using opened = await open(redis);
    const { store } = opened;
    const stays = Array.from({ length: SESSIONS }, (_, n) => session(`stays-${n}`));
    const ends = Array.from({ length: SESSIONS }, (_, n) => `ends-${n}`);
    for (const one of stays) await store.create(one);
    for (const id of ends) await store.create(session(id));

    const listed: string[] = [];
    for await (const { id } of store.list()) {
      listed.push(id);
      // The index changes while it is read: sessions move to its end, and others leave it.
      const used = stays[(listed.length * 7) % SESSIONS];
      if (used) await store.use(used, { usedUntil: clock.now() + listed.length, tokenExpiresAt: 1 });
      const ended = listed.length % 2 === 0 ? ends.pop() : undefined;
      if (ended) await store.delete(ended);
    }
    const kept = listed.filter((id) => id.startsWith('stays-'));
    expect(new Set(kept)).toEqual(new Set(stays.map(({ id }) => id)));
    expect(kept).toHaveLength(SESSIONS);
  });

  it('the list has every session of an owner, however many the person has with other clients', async () => {
    await using redis = await startRedis();
    using opened = await open(redis);
    const { store } = opened;
    const use = async (one: McpSession, ahead: number) => {
      await store.create(one);
      await store.use(one, { usedUntil: clock.now() + ahead, tokenExpiresAt: 1 });
    };
    for (let n = 0; n < SESSIONS; n += 1) await use(session(`desk-${n}`), 1);
    const owner = { issuer: 'https://as.example', subject: 'ada', clientId: 'phone' };
    const theirs = [1, 2, 3].map((n) => session(`phone-${n}`, { owner, transport: 'http+sse' }));
    for (const one of theirs) await use(one, 2);
    const found = await store.inUse(owner, 'http+sse');
    expect(found.map(({ id }) => id)).toEqual(theirs.map(({ id }) => id));
  });
});
