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

/** How often, and for how many milliseconds each, a replica is asked whether it listens: it may be connecting again. */
const LOOKS = 5;
const BETWEEN = 250;

export interface RedisBusDependencies {
  readonly replica: string;
  readonly redis: RedisClient;
  /** A connection that does nothing else: it listens. */
  readonly listener: RedisClient;
  readonly log: Logger;
}

/** A message, or the question whether somebody listens (`ping`) and its answer. */
interface Envelope {
  readonly from: string;
  readonly message?: BusMessage;
  readonly ping?: number;
  readonly pong?: number;
}

export async function createRedisBus({ replica, redis, listener, log }: RedisBusDependencies): Promise<MessageBus> {
  const channels = [ALL, channel(replica)] as const;
  const envelope = (content: Omit<Envelope, 'from'>): string =>
    JSON.stringify({ from: replica, ...content } satisfies Envelope);
  const isAlive = async (name: string): Promise<boolean> => (await redis.exists(heartbeat(name))) === 1;
  const asked = new Map<number, () => void>();
  let questions = 0;
  /** Asks the replica itself: Redis counts the subscriber of one that lost its network, or froze, for minutes. */
  const ask = async (name: string): Promise<boolean> => {
    for (let look = 1; look <= LOOKS; look += 1) {
      questions += 1;
      const ping = questions;
      const { promise, resolve } = Promise.withResolvers<boolean>();
      asked.set(ping, () => resolve(true));
      try {
        await redis.publish(channel(name), envelope({ ping }));
        if (await Promise.race([promise, setTimeout(BETWEEN, false)])) return true;
      } finally {
        asked.delete(ping);
      }
    }
    return false;
  };
  const asking = new Map<string, Promise<boolean>>();
  /** All who want to know at the same time, as when a replica was lost with many streams, share one question. */
  const isListening = (name: string): Promise<boolean> => {
    const answer = asking.get(name) ?? ask(name).finally(() => asking.delete(name));
    asking.set(name, answer);
    return answer;
  };
  listener.on('message', (_: string, text: string) => {
    const { from, ping, pong } = JSON.parse(text) as Envelope;
    if (ping !== undefined) redis.publish(channel(from), envelope({ pong: ping })).catch(() => {});
    if (pong !== undefined) asked.get(pong)?.();
  });
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
    send: async (to, message) => (await redis.publish(channel(to), envelope({ message }))) > 0 || isAlive(to),
    broadcast: async (message) => {
      await redis.publish(ALL, envelope({ message }));
    },
    subscribe: (onMessage, onReturn) => {
      listener.on('message', (_: string, text: string) => {
        const { from, message } = JSON.parse(text) as Envelope;
        if (message && (from !== replica || message.kind === 'response')) onMessage(message);
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
