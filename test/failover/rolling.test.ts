/**
 * Proves that a rolling update loses nothing: three replicas behind a balancer that keeps its connections and retries
 * elsewhere only when a connection is refused; one replica after the other is stopped under load.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gather, type Member } from '../support/crowd.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { expectNothingLost, underLoad } from './load.ts';

const SESSIONS = 60;
const uris = Array.from({ length: 24 }, (_, index) => `test://rolling/${index}`);

describe.skipIf(!hasRedis)(hasRedis ? 'a rolling update' : NEEDS_REDIS, () => {
  let fleet: Fleet;
  let crowd: readonly Member[] = [];
  beforeAll(async () => {
    // Both SDKs and both transports, at work at once.
    fleet = await startFleet(3, { env: { SHUTDOWN_LINGER: '1s' }, keepAlive: 500 });
    crowd = await gather(fleet, SESSIONS, uris, ['v1', 'v2', 'sse']);
  });
  afterAll(async () => {
    await Promise.all(crowd.map((member) => member.close()));
    await fleet[Symbol.asyncDispose]();
  });

  it('a rolling restart fails no call, and loses no session and no event', async () => {
    const sessions = crowd.map((member) => member.session());
    const load = { crowd, uris, pause: 500 };
    const report = await underLoad(load, async () => {
      for (const replica of [...fleet.replicas]) await fleet.replace(replica);
      return [];
    });
    await expectNothingLost(load, report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });
});
