/** Owns how a service connects to Redis: one URL for a server, for Sentinel or for a Cluster, and commands that fail fast. */
import { X509Certificate } from 'node:crypto';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { z } from 'zod';
import { StartError } from './errors.ts';
import type { Logger } from './logger.ts';
import { createRedisHealth, type RedisHealth, reasonOf } from './redis/health.ts';
import { readSettingFile } from './settings/file.ts';

export type RedisClient = Redis | Cluster;

export type RedisTarget = {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly tls: boolean;
} & (
  | { readonly kind: 'server'; readonly database: number }
  | { readonly kind: 'sentinel'; readonly master: string; readonly database: number }
  | { readonly kind: 'cluster' }
);

const FORM = /^(rediss?)(-sentinel|-cluster)?:\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^?]*))?$/;
const EXPECTED =
  'expected redis://[user:password@]host:port[/database], redis-sentinel://host:port,…/master[/database] or redis-cluster://host:port,… (rediss… for TLS)';

/** The setting type of REDIS_URL. */
export const redisUrl = (): z.ZodType<RedisTarget, string> =>
  z.string().transform((text, context): RedisTarget => {
    const target = parse(text.trim());
    if (target) return target;
    context.addIssue({ code: 'custom', message: EXPECTED });
    return z.NEVER;
  });

function parse(text: string): RedisTarget | undefined {
  const [, scheme, form = '', user = '', hosts = '', path = ''] = FORM.exec(text) ?? [];
  const nodes = hosts.split(',').map((host) => nodeOf(host, form === '-sentinel' ? 26_379 : 6_379));
  const [username = '', password = ''] = user.split(/:(.*)/s).map(decoded);
  const common = {
    nodes: nodes.filter((node) => node !== undefined),
    tls: scheme === 'rediss',
    ...(username && { username }),
    ...(password && { password }),
  };
  if (!scheme || common.nodes.length < nodes.length) return undefined;
  if (form === '-cluster') return path ? undefined : { kind: 'cluster', ...common };
  const [first = '', second = ''] = path.split('/');
  const [master, index] = form === '-sentinel' ? [first, second] : ['', first];
  if (!/^\d*$/.test(index) || (form === '-sentinel') !== (master !== '')) return undefined;
  if (form === '-sentinel') return { kind: 'sentinel', master, database: Number(index), ...common };
  return nodes.length === 1 ? { kind: 'server', database: Number(index), ...common } : undefined;
}

/** Returns the text unchanged if it is not encoded: a password may contain a percent sign. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function nodeOf(text: string, defaultPort: number) {
  const [, host, port = String(defaultPort)] = /^(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  return host && Number(port) < 65_536 ? { host: host.replace(/^\[|\]$/g, ''), port: Number(port) } : undefined;
}

export interface OpenRedisOptions {
  readonly target: RedisTarget;
  /** Shown in CLIENT LIST. */
  readonly name: string;
  /** File with the certificate authority of a server with TLS; absent: those of the system. */
  readonly caFile?: string | undefined;
  readonly log: Logger;
  /** Shared by all connections to one Redis; absent: for this connection only, without test writes. */
  readonly health?: RedisHealth;
}

/** Milliseconds. A command that takes longer counts as failed, because a person waits for a page. */
const PATIENCE = 2_000;
/** Milliseconds between two checks whether Redis has loaded its data. */
const LOADING = 500;

/**
 * Opens a client that connects by itself, now and whenever the connection is lost. Without a connection, commands fail at once: a
 * request that can be retried is better than one that hangs.
 * @throws StartError if the file of the certificate authority cannot be read
 */
export function openRedis({
  target,
  name,
  caFile,
  log,
  health = createRedisHealth({ log }),
}: OpenRedisOptions): RedisClient {
  const tls = target.tls ? { tls: caFile ? { ca: readAuthority(caFile) } : {} } : {};
  const login = {
    ...(target.username !== undefined && { username: target.username }),
    ...(target.password !== undefined && { password: target.password }),
  };
  const options: Options = {
    ...login,
    ...tls,
    connectionName: name,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    socketTimeout: PATIENCE,
    connectTimeout: PATIENCE,
    retryStrategy: health.pause,
    // The client must not reconnect by itself: it would close the connection once for each answer of a pipeline.
    reconnectOnError: (error) => {
      health.judge(error);
      return false;
    },
    maxLoadingRetryTime: LOADING,
    // Whoever subscribes does so again on `ready`: nobody handles the rejection of the client's own attempt if that connection is lost too.
    autoResubscribe: false,
  };
  const client = create(target, options, health.pause);
  health.add(client);
  return client;
}

function readAuthority(path: string): Buffer {
  const content = readSettingFile(`REDIS_CA_FILE: the file ${path}`, path);
  try {
    new X509Certificate(content);
    return content;
  } catch (cause) {
    throw new StartError(`REDIS_CA_FILE: the file ${path} contains no certificate in PEM`, { cause });
  }
}

type Options = Omit<RedisOptions, 'replyMapping'>;

type Pause = (attempt: number) => number;

function create(target: RedisTarget, options: Options, pause: Pause): RedisClient {
  const nodes = target.nodes.map((node) => ({ ...node }));
  if (target.kind === 'cluster') {
    return new Cluster(nodes, {
      // Reads go to the primary: on a lagging replica a used code would be valid again.
      scaleReads: 'master',
      redisOptions: options,
      enableOfflineQueue: false,
      clusterRetryStrategy: pause,
      slotsRefreshTimeout: PATIENCE,
    });
  }
  const { database: db } = target;
  if (target.kind === 'server') return new Redis({ ...options, ...nodes[0], db });
  const { tls } = options;
  return new Redis({
    ...options,
    db,
    sentinels: nodes,
    name: target.master,
    ...(tls && { sentinelTLS: tls, enableTLSForSentinelMode: true }),
    sentinelRetryStrategy: pause,
  });
}

/**
 * Resolves when commands can be sent.
 * @param patience milliseconds; absent: without limit
 * @throws StartError with the last failure after `patience`; the client is then closed
 */
export async function whenReady(client: RedisClient, patience?: number): Promise<void> {
  if (client.status === 'ready') return;
  let reason = 'no answer';
  const note = (error: Error) => {
    reason = reasonOf(error);
  };
  client.on('error', note);
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    const giveUp = () => {
      client.disconnect();
      reject(new StartError(`REDIS_URL: not reachable (${reason})`));
    };
    if (patience !== undefined) timer = setTimeout(giveUp, patience);
  });
  clearTimeout(timer);
  client.off('error', note);
}
