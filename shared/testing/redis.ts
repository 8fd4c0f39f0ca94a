/**
 * Owns real Redis servers in tests: one, a Cluster of three primaries, or a primary with a replica that Sentinel watches, on free
 * ports, gone with `await using`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePorts } from './ports.ts';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
export const NEEDS_REDIS = 'needs Redis: apt-get install redis-server';

export interface TestRedis extends AsyncDisposable {
  /** For REDIS_URL. */
  readonly url: string;
  readonly ports: readonly number[];
  /** Kills the servers; the data folder stays. */
  kill(): Promise<void>;
  /** Suspends or resumes the servers without ending them. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void;
  /** Starts them again on the same ports and data. */
  start(): Promise<void>;
}

class Servers {
  readonly ports: readonly number[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'redis-'));
  readonly #arguments: readonly string[];
  #running: ChildProcess[] = [];

  constructor(ports: readonly number[], args: readonly string[]) {
    this.ports = ports;
    this.#arguments = args;
  }

  async start(): Promise<void> {
    this.#running = this.ports.map((port) => this.#spawn(port));
    await Promise.all(this.#running.map((child) => says(child, 'Ready to accept connections')));
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const ended = this.#running.map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#running) child.kill(signal);
    this.#running = [];
    await Promise.all(ended);
  }

  signal(signal: NodeJS.Signals): void {
    for (const child of this.#running) child.kill(signal);
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(port: number): ChildProcess {
    // Data survives the kill of the process: only a failure of the machine loses what was not synced.
    const files = ['--dir', this.#folder, '--dbfilename', `${port}.rdb`, '--appenddirname', `aof-${port}`];
    const address = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'yes'];
    return spawn('redis-server', [...address, '--appendfsync', 'no', ...files, ...this.#argumentsFor(port)]);
  }

  #argumentsFor(port: number): readonly string[] {
    return this.#arguments.map((argument) => argument.replace('PORT', String(port)));
  }
}

const says = (child: ChildProcess, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let output = '';
    child.stdout?.on('data', (chunk) => {
      output += chunk;
      if (output.includes(text)) resolve();
    });
    child.once('close', () => reject(new Error(`redis-server ended: ${output}`)));
  });

export async function startRedis(...args: readonly string[]): Promise<TestRedis> {
  const servers = new Servers(await freePorts(1), args);
  await servers.start();
  return running(servers, `redis://127.0.0.1:${servers.ports[0]}`);
}

/** A connection with all rights, as an operator has it. The caller disconnects it. */
export const operatorOf = (url: string): Redis => new Redis(url);

/** Runs a command as an operator does with redis-cli, on a connection of its own. */
export async function tell({ url }: TestRedis, command: string, ...args: readonly string[]): Promise<string> {
  const operator = operatorOf(url);
  try {
    return String(await operator.call(command, ...args));
  } finally {
    operator.disconnect();
  }
}

export async function startRedisCluster(): Promise<TestRedis> {
  const ports = await freePorts(3);
  const cluster = [
    '--cluster-enabled',
    'yes',
    '--cluster-config-file',
    'nodes-PORT.conf',
    '--cluster-node-timeout',
    '2000',
  ];
  const servers = new Servers(ports, cluster);
  await servers.start();
  const clients = ports.map((port) => new Redis({ host: '127.0.0.1', port }));
  const [first] = clients;
  await Promise.all(clients.map((client, n) => client.cluster('ADDSLOTSRANGE', ...slots(n, ports.length))));
  for (const port of ports.slice(1)) await first?.cluster('MEET', '127.0.0.1', port);
  await Promise.all(clients.map(untilJoined));
  for (const client of clients) client.disconnect();
  return running(servers, `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`);
}

/** The name of the primary that Sentinel watches. */
const MASTER = 'records';

export interface TestSentinel extends AsyncDisposable {
  readonly url: string;
  /** Kills the primary as a power cut does; Sentinel notices it and promotes the replica. */
  killPrimary(): Promise<void>;
}

export async function startRedisSentinel(): Promise<TestSentinel> {
  const [primaryPort = 0, replicaPort = 0, port = 0] = await freePorts(3);
  const primary = new Servers([primaryPort], []);
  await primary.start();
  const replica = new Servers([replicaPort], ['--replicaof', '127.0.0.1', String(primaryPort)]);
  await replica.start();
  await untilReplicating(primaryPort);
  const watched = [
    `sentinel monitor ${MASTER} 127.0.0.1 ${primaryPort} 1`,
    `sentinel down-after-milliseconds ${MASTER} 1000`,
    `sentinel failover-timeout ${MASTER} 2000`,
  ];
  const sentinel = new Sentinel(port, watched);
  await sentinel.start();
  return {
    url: `redis-sentinel://127.0.0.1:${port}/${MASTER}`,
    killPrimary: async () => {
      await untilCopied(primaryPort);
      await primary.kill();
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([sentinel.remove(), primary.remove(), replica.remove()]);
    },
  };
}

/** Sentinel writes its state into its configuration file, so it has a folder of its own. */
class Sentinel {
  readonly #folder = mkdtempSync(join(tmpdir(), 'sentinel-'));
  readonly #file = join(this.#folder, 'sentinel.conf');
  #running: ChildProcess | undefined;

  constructor(port: number, lines: readonly string[]) {
    writeFileSync(this.#file, [`port ${port}`, 'bind 127.0.0.1', `dir ${this.#folder}`, ...lines, ''].join('\n'));
  }

  async start(): Promise<void> {
    this.#running = spawn('redis-server', [this.#file, '--sentinel']);
    await says(this.#running, '+slave');
  }

  async remove(): Promise<void> {
    this.#running?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function untilReplicating(port: number): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port });
  while (!String(await client.info('replication')).includes('state=online')) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  client.disconnect();
}

/** Waits until the replica has all earlier writes: loss of data at a power cut is not what these tests are about. */
async function untilCopied(port: number): Promise<void> {
  const client = new Redis({ host: '127.0.0.1', port });
  await client.set('copied', 1);
  await client.wait(1, 0);
  client.disconnect();
}

const SLOTS = 16_384;

const slots = (n: number, of: number): [number, number] => [
  Math.floor((n * SLOTS) / of),
  Math.floor(((n + 1) * SLOTS) / of) - 1,
];

/** A Cluster has no event for this: its nodes gossip until each knows all others. */
async function untilJoined(client: Redis): Promise<void> {
  for (;;) {
    const info = String(await client.cluster('INFO'));
    if (info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const running = (servers: Servers, url: string): TestRedis => ({
  url,
  ports: servers.ports,
  kill: () => servers.kill(),
  signal: (signal) => servers.signal(signal),
  start: () => servers.start(),
  [Symbol.asyncDispose]: () => servers.remove(),
});
