/**
 * Owns the proof that a session outlives its replica, its Redis and its network: three replicas behind a balancer that takes the
 * next one for every request, two hundred sessions at work, and something breaks.
 */
import { setTimeout } from 'node:timers/promises';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { join, KINDS, type Member, type Outcome } from './crowd.ts';
import { type Fleet, startFleet } from './fleet.ts';

const SESSIONS = 200;
const EVENTS = 24;
const STEPS = 3;

const SCENARIOS = ['killed', 'redis', 'cut'] as const;
const urisOf = (scenario: string) => Array.from({ length: EVENTS }, (_, index) => `test://${scenario}/${index}`);

let fleet: Fleet;
let crowd: Member[] = [];

interface Report {
  readonly outcomes: readonly Outcome[];
  /** Changes whose announcement was answered. */
  readonly announced: readonly string[];
  /** Calls that ran on the replica that was killed. */
  readonly doomed: readonly string[];
}

/** Keeps everybody busy while `disturb` runs, and a while longer. */
async function underLoad(
  scenario: (typeof SCENARIOS)[number],
  disturb: () => Promise<readonly string[]>,
): Promise<Report> {
  const outcomes: Outcome[] = [];
  const announced: string[] = [];
  let working = true;
  const work = async (member: Member, index: number): Promise<void> => {
    await setTimeout(index * 5);
    for (let n = 0; working; n += 1) {
      outcomes.push(await member.call(`${member.name}-${n}`, STEPS, 40));
      await setTimeout(600);
    }
  };
  const announce = async (): Promise<void> => {
    for (const [index, uri] of urisOf(scenario).entries()) {
      const said = await crowd[(index * 7) % crowd.length]?.announce(uri).then(
        () => true,
        () => false,
      );
      if (said) announced.push(uri);
      await setTimeout(250);
    }
  };
  const working_ = Promise.all(crowd.map(work));
  const announcing = announce();
  await setTimeout(1_500);
  const doomed = await disturb();
  await announcing;
  working = false;
  await working_;
  return { outcomes, announced, doomed };
}

async function expectNothingLost({ outcomes, announced, doomed }: Report): Promise<void> {
  const failed = outcomes.filter(({ error }) => error !== undefined);
  expect(outcomes.length).toBeGreaterThan(SESSIONS * 3);
  expect(failed.filter(({ label }) => !doomed.includes(label))).toEqual([]);
  for (const { error } of failed) expect(error).toMatch(/send the request again|fetch failed|terminated|closed/);
  const all = Array.from({ length: STEPS }, (_, index) => index + 1);
  const odd = outcomes.filter(({ error, steps }) => error === undefined && String(steps) !== String(all));
  expect(odd).toEqual([]);
  expect(announced.length).toBeGreaterThan(EVENTS / 2);
  const complete = () => crowd.filter(({ heard }) => announced.every((uri) => heard.includes(uri))).length;
  await expect.poll(complete, { timeout: 30_000, interval: 250 }).toBe(SESSIONS);
  const doubled = crowd.filter(({ heard }) => new Set(heard).size < heard.length).map(({ heard }) => heard);
  expect(doubled).toEqual([]);
  process.stdout.write(
    `${outcomes.length} calls, ${failed.length} failed of ${doomed.length} in flight on a killed replica; ${announced.length} events × ${SESSIONS} sessions, none lost, none doubled\n`,
  );
}

describe.skipIf(!hasRedis)(hasRedis ? 'failover' : NEEDS_REDIS, () => {
  let sessions: (string | undefined)[] = [];

  beforeAll(async () => {
    fleet = await startFleet(3);
    for (let n = 0; n < SESSIONS; n += 20) {
      const batch = Array.from({ length: 20 }, (_, index) => {
        const kind = KINDS[index % KINDS.length] ?? 'v1';
        return join(fleet, `${kind}-${n + index}`, kind, SCENARIOS.flatMap(urisOf));
      });
      crowd.push(...(await Promise.all(batch)));
    }
    sessions = crowd.map((member) => member.session());
    expect(new Set(sessions).size).toBe(SESSIONS);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(crowd.map((member) => member.close()));
    await fleet[Symbol.asyncDispose]();
    crowd = [];
  });

  it('loses no session and no event when a replica is killed and another one started', async () => {
    const report = await underLoad('killed', async () => {
      const [victim] = fleet.replicas;
      if (!victim) throw new Error('there is no replica');
      const stopped = victim.run.stop('SIGKILL');
      const before = fleet.balancer.inFlight(victim.port);
      await stopped;
      // What came in while the signal was on its way, and is not answered either.
      const doomed = [...before, ...fleet.balancer.inFlight(victim.port)];
      await setTimeout(500);
      fleet.balancer.ports.splice(fleet.balancer.ports.indexOf(victim.port), 1);
      await fleet.add();
      return doomed;
    });
    await expectNothingLost(report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });

  it('loses no session, no call and no event when Redis is killed and comes back', async () => {
    const report = await underLoad('redis', async () => {
      await fleet.redis.kill();
      await setTimeout(1_500);
      await fleet.redis.start();
      return [];
    });
    await expectNothingLost(report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });

  it('loses no session, no call and no event when a replica is cut off from Redis', async () => {
    const report = await underLoad('cut', async () => {
      // One that has seen every session: what it does not know it could not serve.
      const cutOff = fleet.replicas[1];
      cutOff?.network.cut();
      await setTimeout(4_000);
      cutOff?.network.mend();
      return [];
    });
    await expectNothingLost(report);
    expect(crowd.map((member) => member.session())).toEqual(sessions);
  });
});
