/** Owns the proof of what streams do at their edges; schedules.test.ts has the interleavings. */
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { describe, expect, it } from 'vitest';
import { Streams } from '../../src/sessions/streams.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { LIMITS, LOG_LIMITS } from '../contracts/session-storage.contract.ts';

async function openSession() {
  const { store, log, bus } = createMemoryStorage(new FakeClock(), LIMITS, LOG_LIMITS)();
  const session = {
    id: 's',
    owner: { issuer: 'i', subject: 's', clientId: 'c' },
    transport: 'streamable-http' as const,
    subscriptions: [],
    created: new FakeClock().now(),
    usedUntil: new FakeClock().now(),
    tokenExpiresAt: 4_000_000_000,
  };
  await store.create(session);
  return {
    log,
    streams: new Streams({ log, bus, pause: async () => {} }),
    name: { session: 's', stream: 'standalone' },
  };
}

const sink = { send: () => true, keepAlive: () => {}, end: () => {} };

describe('streams', () => {
  it('let go of a connection that has closed before it could be attached', async () => {
    const { log, streams, name } = await openSession();
    await streams.attach(name, (detach) => {
      detach();
      return sink;
    });
    await setImmediate();
    expect(streams.all()).toEqual([]);
    expect((await log.state(name))?.reader).toBeUndefined();
  });
});
