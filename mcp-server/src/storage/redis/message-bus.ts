/**
 * Owns the bus on Redis: one channel for each replica and one for all, on a connection of its own. A replica shows that it
 * lives by a key that runs out: on a Cluster the number of subscribers that PUBLISH answers counts one node only.
 */
import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { RedisClient } from '@mcp-oauth/shared/redis';
import type { BusMessage, MessageBus } from '../../sessions/ports.ts';
import { PREFIX } from './scripts.ts';

const ALL = `${PREFIX}replicas`;
const channel = (replica: string): string => `${PREFIX}replica:${replica}`;
const heartbeat = (replica: string): string => `${PREFIX}alive:${replica}`;

/** Milliseconds. Shorter cuts of the network are no death. */
const LIFE = 8_000;
const BEAT = 2_000;

/** How often, and milliseconds apart, to look whether a replica that does not listen is only connecting again. */
const LOOKS = 5;
const BETWEEN = 250;

export interface RedisBusParts {
  readonly replica: string;
  readonly redis: RedisClient;
  /** A connection that does nothing else: it listens. */
  readonly listener: RedisClient;
  readonly log: Logger;
}

interface Envelope {
  readonly from: string;
  readonly message: BusMessage;
}

export async function createRedisBus({ replica, redis, listener, log }: RedisBusParts): Promise<MessageBus> {
  const channels = [ALL, channel(replica)] as const;
  const envelope = (message: BusMessage): string => JSON.stringify({ from: replica, message } satisfies Envelope);
  const isAlive = async (name: string): Promise<boolean> => (await redis.exists(heartbeat(name))) === 1;
  /** Known at once on a server; on a Cluster, whose nodes know only their own subscribers, when the key has run out. */
  const isListening = async (name: string): Promise<boolean> => {
    if (redis.isCluster) return isAlive(name);
    for (let look = 1; look <= LOOKS; look += 1) {
      const [, subscribers] = await redis.pubsub('NUMSUB', channel(name));
      if (Number(subscribers) > 0) return true;
      await setTimeout(BETWEEN);
    }
    return false;
  };
  const beat = async (): Promise<void> => {
    await redis.set(heartbeat(replica), '1', 'PX', LIFE);
    // A connection that only listens would not notice that the other side is gone.
    await listener.ping();
  };
  await listener.subscribe(...channels);
  await redis.set(heartbeat(replica), '1', 'PX', LIFE);
  const timer = setInterval(() => {
    beat().catch((error: unknown) => log.debug({ reason: String(error) }, 'heartbeat not written'));
  }, BEAT).unref();

  return {
    replica,
    isAlive,
    isListening,
    send: async (to, message) => (await redis.publish(channel(to), envelope(message))) > 0 || isAlive(to),
    broadcast: async (message) => {
      await redis.publish(ALL, envelope(message));
    },
    subscribe: (onMessage, onReturn) => {
      listener.on('message', (_: string, text: string) => {
        const { from, message } = JSON.parse(text) as Envelope;
        if (from !== replica || message.kind === 'response') onMessage(message);
      });
      listener.on('ready', () => {
        // Once more, although the client does so by itself: what comes after this answer is heard.
        Promise.resolve(listener.subscribe(...channels)).then(onReturn, () => {});
      });
    },
    close: async () => {
      clearInterval(timer);
      await redis.del(heartbeat(replica)).catch(() => {});
      listener.disconnect();
    },
  };
}
