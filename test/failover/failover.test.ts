/**
 * Proves that a session survives the loss of its replica, its Redis and its network: three replicas behind a
 * round-robin balancer, two hundred sessions under load, and one failure.
 */
import { setTimeout } from 'node:timers/promises';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gather, type Member } from '../support/crowd.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { expectNothingLost, type Load, underLoad } from './load.ts';

const SESSIONS = 200;
const EVENTS = 24;

const SCENARIOS = ['killed', 'redis', 'cut'] as const;
const urisOf = (scenario: string) => Array.from({ length: EVENTS }, (_, index) => `test://${scenario}/${index}`);

const load = (scenario: string): Load => ({ crowd, uris: urisOf(scenario) });

let fleet: Fleet;
let crowd: readonly Member[] = [];

describe.skipIf(!hasRedis)(hasRedis ? 'failover' : NEEDS_REDIS, () => {
  let sessions: (string | undefined)[] = [];

  beforeAll(async () => {
    fleet = await startFleet(3);
    crowd = await gather(fleet, SESSIONS, SCENARIOS.flatMap(urisOf));
    sessions = crowd.map((member) => member.session());
    expect(new Set(sessions).size).toBe(SESSIONS);
  });

  afterAll(async () => {
    await Promise.all(crowd.map((member) => member.close()));
    await fleet[Symbol.asyncDispose]();
    crowd = [];
  });

  it('a killed replica loses no session and no event', async () => {
    const report = await underLoad(load('killed'), async () => {
      const [victim] = fleet.replicas;
      if (!victim) throw new Error('there is no replica');
      const stopped = victim.run.stop('SIGKILL');
      const before = fleet.balancer.inFlight(victim.port);
      await stopped;
      // Calls that arrived while the signal was on its way, and are not answered either.
      const doomed = [...before, ...fleet.balancer.inFlight(victim.port)];
      await setTimeout(500);
      fleet.balancer.ports.splice(fleet.balancer.ports.indexOf(victim.port), 1);
      await fleet.add();
      return doomed;
    });
    await expectNothingLost(load('killed'), report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });

  it('a killed and restarted Redis loses no session, no call and no event', async () => {
    const report = await underLoad(load('redis'), async () => {
      await fleet.redis.kill();
      await setTimeout(1_500);
      await fleet.redis.start();
      return [];
    });
    await expectNothingLost(load('redis'), report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });

  it('a replica cut off from Redis loses no session, no call and no event', async () => {
    const report = await underLoad(load('cut'), async () => {
      // A Redis that has seen every session: sessions that it does not know could not be served.
      const cutOff = fleet.replicas[1];
      cutOff?.network.cut();
      await setTimeout(4_000);
      cutOff?.network.mend();
      return [];
    });
    await expectNothingLost(load('cut'), report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });
});
