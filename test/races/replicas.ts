/**
 * Owns two auth-server processes behind a balancer that alternates them per request, on each storage that they can
 * share.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startRedis, startRedisCluster, type TestRedis } from '@mcp-oauth/shared/testing/redis';
import { roundRobin } from '../support/round-robin.ts';
import { Run, type Stack } from '../support/stack.ts';

export interface Shared extends AsyncDisposable {
  readonly env: NodeJS.ProcessEnv;
}

const onRedis = async (starting: Promise<TestRedis>): Promise<Shared> => {
  const redis = await starting;
  return { env: { REDIS_URL: redis.url }, [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose]() };
};

const onSqlite = async (): Promise<Shared> => {
  const folder = mkdtempSync(join(tmpdir(), 'races-'));
  return {
    env: { DATA_DIR: folder },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  };
};

/** The storages that two processes may share; a file is for one process, but its guarantees hold for two as well. */
export const STORAGES: Readonly<Record<string, () => Promise<Shared>>> = {
  'a SQLite file': onSqlite,
  'one Redis server': () => onRedis(startRedis()),
  'a Redis Cluster': () => onRedis(startRedisCluster()),
};

export interface Replicas extends AsyncDisposable {
  /** What a client needs to know of a stack. */
  readonly stack: Stack;
  /** Runs a command of auth-server in a process of its own, on the same storage. */
  command(line: string): Run;
  /** The output of all processes. */
  output(): string;
}

export async function startReplicas(shared: Shared, settings: NodeJS.ProcessEnv = {}): Promise<Replicas> {
  const ports: number[] = [];
  const balancer = await roundRobin(ports);
  const [first = 0, second = 0, idpPort] = await freePorts(3);
  ports.push(first, second);
  const issuer = balancer.url.replace('127.0.0.1', 'localhost');
  const env = {
    ISSUER: issuer,
    DEVELOPMENT_IDP_URL: `http://localhost:${idpPort}`,
    REGISTRATION_LIMIT: '100000',
    AUTHORIZATION_LIMIT: '100000',
    FAILURE_LIMIT: '100000',
    ...shared.env,
    ...settings,
  };
  const idp = new Run(env, 'development-idp/src/main.ts');
  const processes = ports.map((port) => new Run({ ...env, PORT: String(port) }, 'auth-server/src/main.ts'));
  await Promise.all([idp, ...processes].map((run) => run.says('"msg":"ready"')));
  return {
    stack: { authUrl: issuer, mcpUrl: 'http://localhost:8080' } as Stack,
    command: (line) => new Run(env, `auth-server/src/main.ts ${line}`),
    output: () => processes.map((run) => run.output).join('\n'),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([idp, ...processes].map((run) => run.stop()));
      await balancer.close();
    },
  };
}
