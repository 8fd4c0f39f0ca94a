/** Owns the replicas of mcp-server that are measured: on one Redis, with their log and metrics, and with limits that are not reached. */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { ORIGIN } from '../mcp-parties.ts';
import { type Program, runProgram } from '../program.ts';
import { Meter } from './meter.ts';

export interface Replica {
  readonly port: number;
  readonly program: Program;
}

export interface Fleet extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly replicas: readonly Replica[];
  readonly meter: Meter;
}

export interface FleetOptions {
  readonly issuer: string;
  readonly size?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether the memory of the replicas is measured. */
  readonly probed?: boolean;
}

export async function startFleet({ issuer, size = 1, env = {}, probed = false }: FleetOptions): Promise<Fleet> {
  const redis = await startRedis('--appendfsync', 'everysec');
  const ports = await freePorts(2 * size);
  const replicas = await Promise.all(
    ports.slice(0, size).map(async (port, n) => {
      const settings = {
        PUBLIC_URL: ORIGIN,
        PORT: String(port),
        METRICS_PORT: String(ports[size + n]),
        ISSUER: issuer,
        REDIS_URL: redis.url,
        MAX_SESSIONS: '1000000',
        MAX_SESSIONS_PER_PRINCIPAL: '100000',
        ...env,
      };
      return { port, program: await runProgram('mcp-server/src/main.ts', { env: settings, probed }) };
    }),
  );
  const meter = new Meter(
    redis.url,
    replicas.map(({ program }) => program.pid),
  );
  return {
    redis,
    replicas,
    meter,
    [Symbol.asyncDispose]: async () => {
      meter.close();
      await Promise.all(replicas.map(({ program }) => program.stop()));
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Lets a process run on every core. */
export function unpin(pid: number): void {
  spawnSync('taskset', ['-a', '-p', '-c', `0-${cpus().length - 1}`, String(pid)]);
}
