/** Owns what a number of replicas holds at most, and which part of the deployment ends it. */
import { type Costs, PACE } from './costs.ts';
import { type Machine, PART_OF_A_THREAD, REFRESH_TOKENS } from './plan.ts';

/** What can be too much. */
type Quantity =
  | 'plain calls a second'
  | 'streamed calls a second'
  | 'open streams'
  | 'refreshes a second'
  | 'clients that people use all day';

export interface Limit {
  readonly quantity: Quantity;
  readonly part: string;
  readonly most: number;
}

const SECOND = 1e6;

/** Every part is used up, and nothing else is done. Redis is one process; so is each replica, and one auth-server. */
export function limitsOf(replicas: number, costs: Costs, machine: Machine): readonly Limit[] {
  const perCore = (microseconds: number) => SECOND / microseconds;
  const gateway = machine.gatewayThreads * PART_OF_A_THREAD * perCore(costs.gateway);
  const room = (machine.replicaMiB - costs.replicaMiB) * 1024;
  return [
    {
      quantity: 'plain calls a second',
      part: 'processor of the replicas',
      most: replicas * perCore(costs.call.service),
    },
    { quantity: 'plain calls a second', part: 'processor of the gateway', most: gateway },
    {
      quantity: 'plain calls a second',
      part: 'Redis, if a replica reads the session at each call',
      most: perCore(costs.read.redis),
    },
    {
      quantity: 'streamed calls a second',
      part: 'processor of the replicas',
      most: replicas * perCore(costs.streamedCall.service),
    },
    { quantity: 'streamed calls a second', part: 'processor of Redis', most: perCore(costs.streamedCall.redis) },
    { quantity: 'streamed calls a second', part: 'processor of the gateway', most: gateway },
    { quantity: 'open streams', part: 'memory of the replicas', most: (replicas * room) / costs.streamKiB },
    {
      quantity: 'open streams',
      part: 'processor of the replicas',
      most: replicas * PACE.keepAlive * perCore(costs.keepAlive.service),
    },
    { quantity: 'open streams', part: 'processor of Redis', most: PACE.keepAlive * perCore(costs.keepAlive.redis) },
    { quantity: 'open streams', part: 'connections of the gateway', most: machine.gatewayStreams },
    {
      quantity: 'open streams',
      part: 'memory of Redis',
      most: ((machine.redisMiB - machine.eventsMiB) * 1024 ** 2) / costs.sessionBytes,
    },
    { quantity: 'refreshes a second', part: 'processor of one auth-server', most: perCore(costs.refresh.service) },
    {
      quantity: 'clients that people use all day',
      part: 'memory of Redis',
      most: (machine.redisMiB * 1024 ** 2) / (costs.approvalBytes + REFRESH_TOKENS * costs.refreshTokenBytes),
    },
    { quantity: 'refreshes a second', part: 'processor of Redis', most: perCore(costs.refresh.redis) },
  ];
}

/** The part that is used up first, for each quantity. */
export function firstLimits(limits: readonly Limit[]): readonly Limit[] {
  const first = new Map<Quantity, Limit>();
  for (const limit of limits) {
    const known = first.get(limit.quantity);
    if (!known || limit.most < known.most) first.set(limit.quantity, limit);
  }
  return [...first.values()];
}
