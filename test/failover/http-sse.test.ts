/**
 * Proves that sessions over HTTP+SSE survive the loss of the replica that holds their stream (MCP 2024-11-05), with the
 * transport of SDK v1: three replicas, all clients at work, and one replica is killed or stopped.
 */
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gather, type Member } from '../support/crowd.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { expectNothingLost, underLoad } from './load.ts';

const SESSIONS = 60;
const EVENTS = 24;

const SCENARIOS = ['killed', 'stopped'] as const;
const urisOf = (scenario: string) => Array.from({ length: EVENTS }, (_, index) => `test://${scenario}/${index}`);

describe.skipIf(!hasRedis)(hasRedis ? 'HTTP+SSE across replicas' : NEEDS_REDIS, () => {
  let fleet: Fleet;
  let crowd: readonly Member[] = [];
  let sessions: readonly unknown[] = [];
  beforeAll(async () => {
    fleet = await startFleet(3, { env: { SHUTDOWN_LINGER: '1s' }, keepAlive: 500 });
    crowd = await gather(fleet, SESSIONS, SCENARIOS.flatMap(urisOf), ['sse']);
    sessions = crowd.map((member) => member.session());
    expect(new Set(sessions).size).toBe(SESSIONS);
  });
  afterAll(async () => {
    await Promise.all(crowd.map((member) => member.close()));
    await fleet[Symbol.asyncDispose]();
  });

  it('a stopped and replaced replica loses no session, no call and no event', async () => {
    const load = { crowd, uris: urisOf('stopped') };
    const report = await underLoad(load, async () => {
      for (const replica of fleet.replicas.slice(0, 1)) await fleet.replace(replica);
      return [];
    });
    await expectNothingLost(load, report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });

  it('a killed replica loses no session and no event', async () => {
    const load = { crowd, uris: urisOf('killed') };
    const victim = fleet.replicas[1];
    const report = await underLoad(load, async () => {
      const before = fleet.balancer.inFlight(victim?.port ?? 0);
      await victim?.run.stop('SIGKILL');
      return [...before, ...fleet.balancer.inFlight(victim?.port ?? 0)];
    });
    const doomed = report.outcomes
      .map(({ label }) => label)
      .filter((label) => fleet.balancer.takenBy(label) === victim?.port);
    // This client sends no `Last-Event-ID`: events that were sent, and not recorded as sent when the replica died, are
    // sent again.
    await expectNothingLost(load, { ...report, doomed: [...report.doomed, ...doomed] }, 5);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });
});
