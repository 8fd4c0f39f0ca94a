/** Proves the computation of capacity: the simulation against what queueing theory says, and the plan against sums by hand. */
import { describe, expect, it } from 'vitest';
import type { Costs } from './bench/capacity/costs.ts';
import { firstLimits, limitsOf } from './bench/capacity/limits.ts';
import { DEFAULT_MACHINE, firstUses, needOf, sizeOf } from './bench/capacity/plan.ts';
import { type Model, seeded, simulate } from './bench/capacity/simulation.ts';
import { Timeline } from './bench/capacity/timeline.ts';

/** Parts of the expected value. */
const CLOSE = 0.05;
const expectClose = (actual: number, expected: number) =>
  expect(Math.abs(actual / expected - 1), `${actual} instead of ${expected}`).toBeLessThan(CLOSE);

const one = (microseconds: number): Model => ({
  machines: { here: 1 },
  stations: [{ name: 'server', machine: 'here', workers: 1 }],
  routes: [[{ station: 'server', microseconds }]],
});

/** A client and some servers, on one machine or each on its own. */
function clientAndServers(servers: number, cores: number | 'enough'): Model {
  const names = Array.from({ length: servers }, (_, n) => `server ${n}`);
  return {
    machines: { here: cores === 'enough' ? servers + 1 : cores },
    stations: ['client', ...names].map((name) => ({ name, machine: 'here', workers: 1 })),
    routes: names.map((station) => [
      { station: 'client', microseconds: 20 },
      { station, microseconds: 80 },
    ]),
  };
}

describe('the timeline of a simulation', () => {
  it('runs what is earlier first, and of two at the same time the one that was entered first', () => {
    const timeline = new Timeline();
    const seen: string[] = [];
    for (const [delay, name] of [
      [5, 'e'],
      [1, 'b'],
      [1, 'c'],
      [3, 'd'],
      [0, 'a'],
      [9, 'too late'],
    ] as const) {
      timeline.after(delay, () => seen.push(`${name}${timeline.now}`));
    }
    timeline.runUntil(8);
    expect(seen).toEqual(['a0', 'b1', 'c1', 'd3', 'e5']);
  });
});

describe('the simulation of stations', () => {
  it('gives the answer times of a queue with one server and random arrivals (M/M/1)', () => {
    const { p50Milliseconds, p99Milliseconds, busy } = simulate(one(100), {
      load: { perSecond: 5_000 },
      seconds: 60,
      random: seeded(1),
    });
    // The time in the system is exponential with the mean 1 / (10,000 − 5,000) s.
    expectClose(p50Milliseconds, 0.2 * Math.LN2);
    expectClose(p99Milliseconds, 0.2 * Math.log(100));
    expectClose(busy.server ?? 0, 0.5);
  });

  it('gives the throughput of the slowest station when its clients wait for their answers', () => {
    const load = { clients: 24 };
    const { perSecond, busy } = simulate(clientAndServers(2, 'enough'), { load, seconds: 5, random: seeded(2) });
    expectClose(perSecond, 25_000);
    expectClose(busy['server 0'] ?? 0, 1);
  });

  it('shares the cores of a machine among its stations', () => {
    const load = { clients: 24 };
    const { perSecond } = simulate(clientAndServers(4, 2), { load, seconds: 5, random: seeded(3) });
    expectClose(perSecond, 2e6 / (20 + 80));
  });

  it('repeats itself with the same seed', () => {
    const run = () => simulate(one(100), { load: { perSecond: 8_000 }, seconds: 1, random: seeded(4) });
    expect(run()).toEqual(run());
  });
});

const cost = (service: number, redis: number) => ({ service, redis });
const COSTS: Costs = {
  call: cost(100, 0),
  statelessCall: cost(90, 0),
  streamedCall: cost(400, 200),
  firstUse: cost(150, 0),
  open: cost(120, 20),
  attach: cost(150, 50),
  read: cost(50, 5),
  use: cost(60, 10),
  keepAlive: cost(150, 30),
  signIn: cost(5_000, 400),
  refresh: cost(500, 80),
  gateway: 40,
  replicaMiB: 112,
  sessionKiB: 1,
  streamKiB: 16,
  sessionBytes: 1_024,
  approvalBytes: 4_096,
  refreshTokenBytes: 1_024,
};

describe('the plan of a deployment', () => {
  it('counts the first uses after a pause: all where uses are rare, one a pause and replica where they are many', () => {
    expectClose(firstUses(0.001, 10, 10), 0.001);
    expectClose(firstUses(10_000, 10, 10), 1);
    expect(firstUses(2, 1, 10)).toBeCloseTo(2 / 21);
  });

  it('adds up the work of the replicas', () => {
    const demand = { people: 1_000, callsPerSecond: 1_000 };
    const { replicaCores } = needOf(demand, 2, COSTS);
    const calls = 950 * 100 + 50 * 400;
    const each = 1_000 / 1_500;
    const records = 1_500 * (150 * firstUses(each, 2, 60) + 50 * firstUses(each, 2, 10) + 60 * firstUses(each, 2, 30));
    const sessions = 1_500 * (150 / 15 + (120 + 150) / 3_600);
    expect(replicaCores).toBeCloseTo((calls + records + sessions) / 1e6 / 2);
  });

  it('counts the used refresh tokens that are kept in Redis for their lifetime', () => {
    const { authRedisMiB } = needOf({ people: 1_000, callsPerSecond: 10 }, 1, COSTS);
    // 14 days of 144 refreshes, in 40 of 168 hours a week: 480 for each client.
    expect(authRedisMiB).toBeCloseTo((1_500 * (4_096 + 480 * 1_024)) / 1024 ** 2);
  });

  it('needs at least one replica and a spare one', () => {
    expect(sizeOf({ people: 10, callsPerSecond: 1 }, COSTS)).toMatchObject({
      ...{ replicas: 2, authServers: 2, sessionRedis: 1, authRedis: 1, gateways: 1 },
    });
  });

  it('needs no less when there is more to do', () => {
    const sizes = [100, 1_000, 10_000, 100_000].map((people) => sizeOf({ people, callsPerSecond: people / 10 }, COSTS));
    const parts = ['replicas', 'authServers', 'sessionRedis', 'authRedis', 'gateways'] as const;
    for (const part of parts) {
      const counts = sizes.map((size) => size[part]);
      expect(counts, part).toEqual(counts.toSorted((a, b) => a - b));
    }
  });

  it('names the part that is used up first: the replicas while they are few, then what they share', () => {
    const first = (replicas: number) =>
      Object.fromEntries(
        firstLimits(limitsOf(replicas, COSTS, DEFAULT_MACHINE)).map(({ quantity, part, most }) => [
          quantity,
          `${part}: ${Math.floor(most)}`,
        ]),
      );
    expect(first(1)).toEqual({
      'plain calls a second': 'processor of the replicas: 10000',
      'streamed calls a second': 'processor of the replicas: 2500',
      'open streams': 'connections of the gateway: 24900',
      'refreshes a second': 'processor of one auth-server: 2000',
      // 384 MiB, of which each takes 4 KiB for the approval and 480 KiB for its refresh tokens.
      'clients that people use all day': 'memory of Redis: 812',
    });
    expect(first(100)).toMatchObject({
      // One thread, which is used for two thirds of the time: 40 µs for each request.
      'plain calls a second': 'processor of the gateway: 16666',
      'streamed calls a second': 'processor of Redis: 5000',
    });
  });
});
