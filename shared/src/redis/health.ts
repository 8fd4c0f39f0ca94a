/**
 * Owns whether a Redis accepts writes: from the errors of all connections, and from a small periodic write, so that a change is noticed
 * without traffic. If a node answers that it is not the primary, all connections close and reconnect after growing pauses.
 */
import { StartError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { createOutage } from '../network/outage.ts';
import { refusalOf } from './refusals.ts';

/** The members that are used of a client of one server, of Sentinel or of a Cluster. */
interface Client {
  readonly status: string;
  readonly isCluster: boolean;
  set(key: string, value: string, unit: 'PX', milliseconds: number): Promise<unknown>;
  disconnect(reconnect?: boolean): void;
  on(event: 'ready' | 'close' | 'end', listener: () => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export interface RedisHealth {
  /** Whether the last write was accepted and all connections are open. */
  readonly takesWrites: boolean;
  /** The first connection that is added does the periodic writes. */
  add(client: Client): void;
  /** Evaluates an error answer of any connection. */
  judge(error: Error): void;
  /** Milliseconds before the next attempt to connect. */
  pause(attempt: number): number;
  /**
   * Resolves when a write was accepted.
   * @param patience milliseconds; absent: without limit
   * @throws StartError after `patience`, or if Redis refuses for a reason that waiting does not fix
   */
  whenWritable(patience?: number): Promise<void>;
}

export interface RedisHealthOptions {
  readonly log: Logger;
  /** Prefix of the keys that are written; absent: nothing is written, and open connections are enough. */
  readonly prefix?: string;
}

/** Milliseconds between two writes while everything works. */
const PACE = 2_000;
/** Milliseconds before the first attempt after a failure, and the longest pause between two. */
const PAUSE = 50;
const LONGEST_PAUSE = 1_000;
/** Lifetime of a written key in milliseconds. */
const LIFE = 60_000;

/** One hash tag for each sixteenth of the slots of a Cluster, so that the writes reach every primary. */
export const CLUSTER_TAGS = '18 3 61 58 19 2 60 59 102 1 63 49 103 0 62 48'.split(' ');

/** A Cluster hides the reason in the error of the last node. */
export const reasonOf = ({ message, lastNodeError }: Error & { readonly lastNodeError?: Error | null }): string =>
  lastNodeError ? `${message} ${lastNodeError.message}` : message;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: StartError) => void;
}

export function createRedisHealth({ log, prefix }: RedisHealthOptions): RedisHealth {
  const outage = createOutage();
  const clients: Client[] = [];
  const leaving = new Set<Client>();
  const waiting = new Set<Waiting>();
  let takesWrites = false;
  let problem: 'lost' | 'refused' = 'lost';
  let reason = 'no answer';
  let wrongNodes = 0;
  let isTrying = false;
  let timer: NodeJS.Timeout | undefined;

  const begin = (kind: typeof problem, text: string): void => {
    [takesWrites, problem, reason] = [false, kind, text];
    const news = outage.begin(text);
    const again = kind === 'lost' ? 'redis not reachable' : 'redis takes no writes';
    if (news) log.error({ reason: text }, news === 'first' ? 'waiting for redis' : again);
  };
  const end = (): void => {
    [takesWrites, wrongNodes] = [true, 0];
    const news = outage.end();
    const again = problem === 'lost' ? 'redis connected again' : 'redis takes writes again';
    if (news) log.info(news === 'first' ? 'redis connected' : again);
    for (const { resolve } of waiting) resolve();
    waiting.clear();
  };
  const pause = (attempt: number): number => Math.min(PAUSE * attempt * 2 ** wrongNodes, LONGEST_PAUSE);

  /** All connections of a process use the same address: if one is connected to the wrong node, all are. */
  const leave = (): void => {
    const leavers = clients.filter((client) => client.status === 'ready' && !leaving.has(client));
    if (leavers.length > 0) wrongNodes += 1;
    for (const client of leavers) {
      leaving.add(client);
      client.disconnect(true);
    }
  };
  const judge = (error: Error): void => {
    const refusal = refusalOf(error);
    if (!refusal) return;
    // The rest names the script.
    begin('refused', error.message.split(' script: ')[0] ?? '');
    if (refusal.isWrongNode) leave();
    else schedule(PAUSE);
  };

  const write = async (client: Client): Promise<void> => {
    if (prefix === undefined) return;
    const suffixes = client.isCluster ? CLUSTER_TAGS.map((tag) => `:{${tag}}`) : [''];
    await Promise.all(suffixes.map((suffix) => client.set(`${prefix}writable${suffix}`, '', 'PX', LIFE)));
  };
  const tryWrite = async (): Promise<void> => {
    const [client] = clients;
    if (isTrying || !client) return;
    isTrying = true;
    try {
      if (client.status === 'ready') await write(client);
      if (clients.every(({ status }) => status === 'ready') && leaving.size === 0) end();
    } catch (error) {
      failed(error as Error);
    } finally {
      isTrying = false;
      schedule(takesWrites ? PACE : LONGEST_PAUSE);
    }
  };
  /** Connection errors are reported by the connection, and errors with a known code by `judge`. */
  const failed = (error: Error): void => {
    takesWrites = false;
    if (error.name !== 'ReplyError' || refusalOf(error)) return;
    begin('refused', reasonOf(error));
    for (const { reject } of waiting)
      reject(new StartError(`REDIS_URL: ${explained(error.message)}`, { cause: error }));
    waiting.clear();
  };
  const schedule = (milliseconds: number): void => {
    clearTimeout(timer);
    if (clients[0]?.status !== 'end') timer = setTimeout(tryWrite, milliseconds).unref();
  };

  return {
    get takesWrites() {
      return takesWrites;
    },
    add: (client) => {
      clients.push(client);
      client.on('ready', tryWrite);
      client.on('close', () => {
        takesWrites = false;
        leaving.delete(client);
      });
      client.on('end', () => clearTimeout(timer));
      client.on('error', (error: Error) => begin('lost', reasonOf(error)));
    },
    judge,
    pause,
    whenWritable: async (patience) => {
      if (takesWrites) return;
      let limit: NodeJS.Timeout | undefined;
      try {
        await new Promise<void>((resolve, reject) => {
          waiting.add({ resolve, reject });
          const giveUp = () => {
            const what = problem === 'lost' ? 'not reachable' : 'takes no writes';
            reject(new StartError(`REDIS_URL: ${what} (${reason})`));
          };
          if (patience !== undefined) limit = setTimeout(giveUp, patience);
        });
      } catch (error) {
        for (const client of clients) client.disconnect();
        throw error;
      } finally {
        clearTimeout(limit);
      }
    },
  };
}

const explained = (message: string): string =>
  message.startsWith('MOVED ')
    ? 'points at a node of a Redis Cluster: use redis-cluster:// instead of redis://'
    : message;
