/**
 * Owns the runs with several replicas on this machine, directly and behind a gateway, and what the simulation predicts
 * for them from the costs with one replica.
 */
import { cpus } from 'node:os';
import { meet } from '../mcp-parties.ts';
import { cpuSeconds } from '../program.ts';
import { openSessions } from '../sessions.ts';
import { press, until } from '../wire.ts';
import { type Fleet, startFleet, unpin } from './fleet.ts';
import { type Gateway, hasGateway, startGateway } from './gateway.ts';
import { type Model, seeded, simulate } from './simulation.ts';
import { calls } from './work.ts';

const CONNECTIONS = 24;
const SECONDS = 2;
const WARM_UP = 1;
const THREADS = 2;

interface Measured {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Microseconds of the processor for each call. */
  readonly client: number;
  readonly gateway: number;
  readonly replica: number;
}

export interface Comparison {
  readonly replicas: number;
  readonly isBehindGateway: boolean;
  readonly measured: Measured;
  readonly predicted: { readonly perSecond: number; readonly p50: number; readonly p99: number };
}

async function load(fleet: Fleet, gateway: Gateway | undefined, requests: (() => string)[], seconds: number) {
  const end = performance.now() + seconds * 1000;
  const own = fleet.replicas.map(({ port, program }) => ({ port, pid: program.pid }));
  const servers = gateway ? [gateway] : own;
  const used = () => ({
    client: process.cpuUsage(),
    gateway: gateway ? cpuSeconds(gateway.pid) : 0,
    replica: own.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0),
  });
  const before = used();
  const {
    requests: total,
    perSecond,
    p50,
    p99,
  } = await press({
    servers,
    speakers: requests.map((request) => until(end, request)),
  });
  const after = used();
  const client = process.cpuUsage(before.client);
  return {
    ...{ perSecond, p50, p99 },
    client: (client.user + client.system) / total,
    gateway: ((after.gateway - before.gateway) * 1e6) / total,
    replica: ((after.replica - before.replica) * 1e6) / total,
  };
}

/** Everything is on one machine: its cores are shared. */
function modelOf(replicas: number, { client, gateway, replica }: Measured): Model {
  const machine = 'this one';
  const names = Array.from({ length: replicas }, (_, n) => `replica ${n + 1}`);
  const through = gateway > 0 ? [{ station: 'gateway', microseconds: gateway }] : [];
  return {
    machines: { [machine]: cpus().length },
    stations: [
      { name: 'client', machine, workers: 1 },
      ...(gateway > 0 ? [{ name: 'gateway', machine, workers: THREADS }] : []),
      ...names.map((name) => ({ name, machine, workers: 1 })),
    ],
    routes: names.map((name) => [
      { station: 'client', microseconds: client },
      ...through,
      { station: name, microseconds: replica },
    ]),
  };
}

function predict(replicas: number, costs: Measured) {
  const run = { load: { clients: CONNECTIONS }, seconds: 5, random: seeded(replicas) };
  const { perSecond, p50Milliseconds, p99Milliseconds } = simulate(modelOf(replicas, costs), run);
  return { perSecond, p50: p50Milliseconds, p99: p99Milliseconds };
}

/** The number of connections that each of several replicas has. A replica that finds fewer requests at once pays more for each. */
const perReplica = (replicas: number): number => Math.round(CONNECTIONS / replicas);

/** @returns the runs, each with what is predicted from one replica that has as many connections as each of several */
export async function compare(counts: readonly number[], withGateway: boolean): Promise<Comparison[]> {
  if (withGateway && !hasGateway) return [];
  await using parties = await meet(CONNECTIONS);
  const costs = new Map<number, Measured>();
  const runs: Comparison[] = [];
  for (const replicas of counts) {
    await using fleet = await startFleet({ issuer: parties.issuer, size: replicas });
    for (const { program } of fleet.replicas) unpin(program.pid);
    await using started = new AsyncDisposableStack();
    const gateway = withGateway ? started.use(await startGateway(fleet.replicas, THREADS)) : undefined;
    const [first] = fleet.replicas;
    const requests = calls(await openSessions(first?.port ?? 0, parties.referring));
    await load(fleet, gateway, requests, WARM_UP * replicas);
    if (replicas === 1) {
      for (const later of counts) {
        costs.set(later, await load(fleet, gateway, requests.slice(0, perReplica(later)), SECONDS));
      }
    }
    const measured = await load(fleet, gateway, requests, SECONDS);
    const predicted = predict(replicas, costs.get(replicas) ?? measured);
    runs.push({ replicas, measured, isBehindGateway: withGateway, predicted });
  }
  return runs;
}
