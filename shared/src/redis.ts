/**
 * Owns how a service connects to Redis, with commands that fail fast. A service without Redis does not load this file: the client takes
 * a tenth of its start.
 */
import { X509Certificate } from 'node:crypto';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { StartError } from './errors.ts';
import type { Logger } from './logger.ts';
import { sendInBatches } from './redis/batches.ts';
import { createRedisHealth, type RedisHealth } from './redis/health.ts';
import type { RedisClient } from './redis/ready.ts';
import type { RedisTarget } from './redis/target.ts';
import { readSettingFile } from './settings/file.ts';

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
  // Each node has batches of its own: a Cluster sends a command whose slot has moved to another node.
  if (client instanceof Cluster) client.on('+node', sendInBatches);
  else sendInBatches(client);
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
