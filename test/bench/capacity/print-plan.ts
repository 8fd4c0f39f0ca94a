/** Owns the tables that follow from the measured costs, as docs/capacity.md shows them. */
import type { Costs } from './costs.ts';
import { firstLimits, limitsOf } from './limits.ts';
import { DEFAULT_MACHINE, type Demand, sizeOf } from './plan.ts';

const DEMANDS: readonly Demand[] = [
  { people: 100, callsPerSecond: 10 },
  { people: 1_000, callsPerSecond: 100 },
  { people: 1_000, callsPerSecond: 1_000 },
  { people: 10_000, callsPerSecond: 1_000 },
  { people: 10_000, callsPerSecond: 10_000 },
  { people: 100_000, callsPerSecond: 10_000 },
  { people: 100_000, callsPerSecond: 100_000 },
];

const REPLICAS = [1, 10, 100];

type Row = readonly (string | number)[];

const whole = (number: number): string => Math.round(number).toLocaleString('en');
const twoDigits = (number: number): string => Number(number.toPrecision(2)).toLocaleString('en');

function demandRow(demand: Demand, costs: Costs): Row {
  const { need, ...size } = sizeOf(demand, costs);
  return [
    ...[whole(demand.people), whole(demand.callsPerSecond)],
    `${size.replicas} (${twoDigits(need.replicaCores)} of a core, ${whole(need.replicaMiB)} MiB)`,
    `${size.authServers} (${twoDigits(need.authCores)} cores together)`,
    `${size.sessionRedis} (${twoDigits(need.sessionRedisCores)} of a core, ${whole(need.sessionRedisMiB)} MiB and events)`,
    `${size.authRedis} (${twoDigits(need.authRedisCores)} of a core, ${whole(need.authRedisMiB)} MiB)`,
    `${size.gateways} (${twoDigits(need.gatewayCores)} cores, ${whole(need.streams)} streams)`,
  ];
}

export function planRows(costs: Costs): Row[] {
  const holds = REPLICAS.map((replicas) => limitsOf(replicas, costs, DEFAULT_MACHINE));
  const [few = []] = holds;
  return [
    ['people', 'calls/s', 'mcp-server', 'auth-server', 'Redis of sessions', 'Redis of auth-server', 'gateways'],
    ['---:', '---:', '---', '---', '---', '---', '---'],
    ...DEMANDS.map((demand) => demandRow(demand, costs)),
    [''],
    ['what', 'ends by', ...REPLICAS.map((replicas) => `${replicas} replicas`)],
    ['---', '---', ...REPLICAS.map(() => '---:')],
    ...few.map(({ quantity, part }, n) => [quantity, part, ...holds.map((limits) => twoDigits(limits[n]?.most ?? 0))]),
    [''],
    ...REPLICAS.flatMap((replicas, n) =>
      firstLimits(holds[n] ?? []).map(({ quantity, part, most }) => [replicas, quantity, part, twoDigits(most)]),
    ),
  ];
}
