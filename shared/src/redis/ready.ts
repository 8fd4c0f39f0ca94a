/** Owns what a user of Redis knows of its client, without loading it: the type, and when it is ready. */
import type { Cluster, Redis } from 'ioredis';
import { StartError } from '../errors.ts';
import { reasonOf } from './health.ts';

export type RedisClient = Redis | Cluster;

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
