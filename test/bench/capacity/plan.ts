/** Owns how many replicas, and how much of Redis and of the gateway, people and their calls need, from measured costs. */
import { type Costs, PACE, type UnitCost } from './costs.ts';

export interface Demand {
  readonly people: number;
  /** Tool calls of all of them together, at the busiest time. */
  readonly callsPerSecond: number;
}

/** What is assumed of people. */
const HABITS = {
  /** Clients of a person that are connected at the same time, each with a session, an open stream and an approval. */
  clients: 1.5,
  /** Part of the calls that report progress. */
  streamed: 0.05,
  /** Part of the time in which a client refreshes its tokens: eight hours on five days a week. */
  connected: (8 * 5) / (24 * 7),
  /** Seconds in which everybody signs in and opens all sessions on the busiest morning. */
  arrival: 3_600,
} as const;

/** What one process may use: beyond it, answers begin to wait. */
const PART_OF_A_CORE = 0.6;

export interface Machine {
  /** MiB of a replica, as in deploy/kubernetes. */
  readonly replicaMiB: number;
  /** MiB of one Redis, as in deploy/redis, and at most: a larger one takes minutes to start. */
  readonly redisMiB: number;
  readonly largestRedisMiB: number;
  /** MiB of Redis that events may take: MAX_STORED_BYTES. */
  readonly eventsMiB: number;
  /** Threads of one gateway, as GATEWAY_THREADS is by default, and the connections that it keeps. */
  readonly gatewayThreads: number;
  readonly gatewayStreams: number;
}

export const DEFAULT_MACHINE: Machine = {
  replicaMiB: 512,
  redisMiB: 384,
  largestRedisMiB: 16_384,
  eventsMiB: 128,
  gatewayThreads: 1,
  gatewayStreams: 24_900,
};

/**
 * Part of its time in which a thread of the gateway was seen to work on requests: 22 µs of each, and 30,000 a second. The rest is work
 * of the kernel that is in no process, and waiting.
 */
export const PART_OF_A_THREAD = 2 / 3;

/** Part of the memory that is planned for: the rest is for answers on their way and for the garbage collector. */
const PART_OF_MEMORY = 0.7;

/**
 * How often a second something happens that is due at the first use after a pause, for each replica by itself. Uses come
 * at random times to a random replica.
 * @param rate uses a second
 */
export const firstUses = (rate: number, replicas: number, pause: number): number =>
  rate / (1 + (rate * pause) / replicas);

/** Cores, MiB and connections that are in use. */
export interface Need {
  readonly replicaCores: number;
  readonly replicaMiB: number;
  readonly sessionRedisCores: number;
  readonly sessionRedisMiB: number;
  readonly authCores: number;
  readonly authRedisCores: number;
  readonly authRedisMiB: number;
  readonly gatewayCores: number;
  readonly streams: number;
}

const MiB = 1024 ** 2;

export function needOf({ people, callsPerSecond }: Demand, replicas: number, costs: Costs): Need {
  const sessions = people * HABITS.clients;
  const each = callsPerSecond / sessions;
  const streamed = callsPerSecond * HABITS.streamed;
  const work: readonly (readonly [perSecond: number, cost: UnitCost])[] = [
    [callsPerSecond - streamed, costs.call],
    [streamed, costs.streamedCall],
    [sessions * firstUses(each, replicas, PACE.token), costs.firstUse],
    [sessions * firstUses(each, replicas, PACE.copy), costs.read],
    [sessions * firstUses(each, replicas, PACE.use), costs.use],
    [sessions / PACE.keepAlive, costs.keepAlive],
    [sessions / HABITS.arrival, costs.open],
    [sessions / HABITS.arrival, costs.attach],
  ];
  const authWork: typeof work = [
    [sessions / HABITS.arrival, costs.signIn],
    [sessions / PACE.refresh, costs.refresh],
  ];
  const cores = (items: typeof work, part: keyof UnitCost) =>
    items.reduce((sum, [perSecond, cost]) => sum + perSecond * cost[part], 0) / 1e6;
  return {
    replicaCores: cores(work, 'service') / replicas,
    replicaMiB: costs.replicaMiB + (sessions * costs.sessionKiB + (sessions / replicas) * costs.streamKiB) / 1024,
    sessionRedisCores: cores(work, 'redis'),
    sessionRedisMiB: (sessions * costs.sessionBytes) / MiB,
    authCores: cores(authWork, 'service'),
    authRedisCores: cores(authWork, 'redis'),
    authRedisMiB: (sessions * (costs.approvalBytes + REFRESH_TOKENS * costs.refreshTokenBytes)) / MiB,
    gatewayCores: ((callsPerSecond + sessions / PACE.refresh) * costs.gateway) / 1e6,
    streams: sessions,
  };
}

export interface Size {
  /** With one more than is needed, so that one may fail or be replaced. */
  readonly replicas: number;
  readonly authServers: number;
  /** Nodes for sessions and for auth-server; above 1 it is a Cluster with so many primaries. */
  readonly sessionRedis: number;
  readonly authRedis: number;
  readonly gateways: number;
  readonly need: Need;
}

const MOST_REPLICAS = 1_000;

const nodes = (cores: number, mebibytes: number, { largestRedisMiB }: Machine): number =>
  Math.max(1, Math.ceil(cores / PART_OF_A_CORE), Math.ceil(mebibytes / PART_OF_MEMORY / largestRedisMiB));

/** Refresh tokens that are kept for a client: a used one stays for its lifetime, so that its second use is noticed. */
export const REFRESH_TOKENS = HABITS.connected * (PACE.refreshToken / PACE.refresh);

export function sizeOf(demand: Demand, costs: Costs, machine = DEFAULT_MACHINE): Size {
  let replicas = 1;
  let need = needOf(demand, replicas, costs);
  const isTooMuch = () => need.replicaCores > PART_OF_A_CORE || need.replicaMiB > machine.replicaMiB * PART_OF_MEMORY;
  while (isTooMuch() && replicas < MOST_REPLICAS) {
    replicas += 1;
    need = needOf(demand, replicas, costs);
  }
  const gatewayCores = PART_OF_A_CORE * PART_OF_A_THREAD * machine.gatewayThreads;
  return {
    replicas: replicas + 1,
    authServers: Math.ceil(need.authCores / PART_OF_A_CORE) + 1,
    sessionRedis: nodes(need.sessionRedisCores, need.sessionRedisMiB + machine.eventsMiB, machine),
    authRedis: nodes(need.authRedisCores, need.authRedisMiB, machine),
    gateways: Math.max(
      1,
      Math.ceil(need.gatewayCores / gatewayCores),
      Math.ceil(need.streams / machine.gatewayStreams),
    ),
    need,
  };
}
