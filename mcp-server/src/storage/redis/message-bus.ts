/**
 * Owns the bus on Redis: one channel for each replica and one for all, on a separate connection. A replica is alive
 * while its key, which expires, exists: on a Cluster, the number of subscribers that PUBLISH returns counts one
 * node only.
 */
import { setTimeout } from 'node:timers/promises';
import type { Logger } from '@mcp-oauth/shared/logger';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import type { BusMessage, MessageBus } from '../../sessions/ports.ts';
import { PREFIX } from './scripts.ts';

const ALL = `${PREFIX}replicas`;
const channel = (replica: string): string => `${PREFIX}replica:${replica}`;
const heartbeat = (replica: string): string => `${PREFIX}alive:${replica}`;

/** Milliseconds after which a replica counts as lost; shorter network failures do not. */
const LIFE = 8_000;
const BEAT = 2_000;

/** Number of pings to a replica, and milliseconds to wait after each: the replica may be reconnecting. */
const LOOKS = 5;
const BETWEEN = 250;

export interface RedisBusDependencies {
  readonly replica: string;
  readonly redis: RedisClient;
  /** A connection that is used for subscriptions only. */
  readonly listener: RedisClient;
  readonly log: Logger;
}

/** A message, or a `ping` that asks whether a replica is listening, and its answer. */
interface Envelope {
  readonly from: string;
  readonly message?: BusMessage;
  readonly ping?: number;
  readonly pong?: number;
}

/** A connection that is lost during the start returns, and the next beat follows. Only a refusal of Redis ends the start. */
function unlessLost(error: unknown): void {
  if (!(error instanceof Error) || error.name === 'ReplyError') throw error;
}

/** @throws the error of Redis if it refuses a command */
export async function createRedisBus({ replica, redis, listener, log }: RedisBusDependencies): Promise<MessageBus> {
  const channels = [ALL, channel(replica)] as const;
  const envelope = (content: Omit<Envelope, 'from'>): string =>
    JSON.stringify({ from: replica, ...content } satisfies Envelope);
  const isAlive = async (name: string): Promise<boolean> => (await redis.exists(heartbeat(name))) === 1;
  const asked = new Map<number, () => void>();
  let questions = 0;
  /** Asks the replica itself: for minutes, Redis counts a subscriber that has lost its network or is frozen. */
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
  /** Concurrent callers share one ping, as when a replica with many streams was lost. */
  const isListening = (name: string): Promise<boolean> => {
    const answer = asking.get(name) ?? ask(name).finally(() => asking.delete(name));
    asking.set(name, answer);
    return answer;
  };
  const receivers = new Set<(message: BusMessage) => void>();
  const receive = ({ from, ping, pong, message }: Envelope): void => {
    if (ping !== undefined) redis.publish(channel(from), envelope({ pong: ping })).catch(() => {});
    if (pong !== undefined) asked.get(pong)?.();
    if (message && (from !== replica || message.kind === 'response'))
      for (const onMessage of receivers) onMessage(message);
  };
  let isTold = false;
  listener.on('message', (_: string, text: string) => {
    try {
      receive(JSON.parse(text) as Envelope);
    } catch (error) {
      // From another version, or from a program that is no replica. Thrown here, it would end the process.
      if (!isTold) log.warn({ reason: String(error) }, 'message on the bus not understood');
      isTold = true;
    }
  });
  const returns = new Set<() => void>();
  let isSubscribed = true;
  const subscribeAgain = async (): Promise<void> => {
    isSubscribed = false;
    await listener.subscribe(...channels);
    isSubscribed = true;
    // Messages after this answer are received.
    for (const onReturn of returns) onReturn();
  };
  const beat = async (): Promise<void> => {
    await redis.set(heartbeat(replica), '1', 'PX', LIFE);
    // A connection that never sends would not notice that the other side has disappeared.
    if (isSubscribed) await listener.ping();
    else await subscribeAgain();
  };
  listener.on('ready', () => {
    // If this fails although the connection stays, the next beat tries again.
    subscribeAgain().catch((error: unknown) => log.debug({ reason: String(error) }, 'not subscribed'));
  });
  await subscribeAgain().catch(unlessLost);
  await redis.set(heartbeat(replica), '1', 'PX', LIFE).catch(unlessLost);
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
      receivers.add(onMessage);
      returns.add(onReturn);
    },
    close: async () => {
      clearInterval(timer);
      await redis.del(heartbeat(replica)).catch(() => {});
      listener.disconnect();
    },
  };
}
