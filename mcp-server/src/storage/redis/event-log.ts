/** Owns the logs of streams on Redis: a Redis Stream for the events of each, and a hash for who reads it and how far. */
import type { EventLog, LogLimits, Reader, StreamEvent, StreamName } from '../../sessions/ports.ts';
import { type SessionRedis, sessionKey } from './scripts.ts';

const eventsKey = ({ session, stream }: StreamName): string => `${sessionKey(session)}:events:${stream}`;
const stateKey = ({ session, stream }: StreamName): string => `${sessionKey(session)}:stream:${stream}`;

/** Before the name of a replica, in the hash of a stream. */
const DEBT = 'o:';

/** Names of the streams that are over and that nobody reads, oldest first. */
const overKey = ({ session }: StreamName): string => `${sessionKey(session)}:over`;

const write = ({ replica, connection }: Reader): string => `${replica}/${connection}`;

function parse(text: string | null): Reader | undefined {
  const [replica, connection] = text?.split('/') ?? [];
  return replica && connection ? { replica, connection } : undefined;
}

export function createRedisEventLog(redis: SessionRedis, limits: LogLimits): EventLog {
  const [open, over] = [limits.keepOpen * 1000, limits.keepOver * 1000];
  return {
    append: async (name, { data, producer, sequence, last = false, requests = '', changes = '' }) => {
      const keys = [sessionKey(name.session), eventsKey(name), stateKey(name), overKey(name)];
      const event = [data, producer, sequence, last ? 1 : 0, requests, changes];
      const bounds = [limits.events, limits.bytes, last ? over : open, name.stream, limits.over];
      const reader = await redis.mcpAppend(...keys, ...event, ...bounds);
      return reader === null ? undefined : { reader: parse(reader) };
    },
    read: async (name, after, limit) => {
      const from = after === undefined ? '-' : `(${after}`;
      return (await redis.xrange(eventsKey(name), from, '+', 'COUNT', limit)).map(toEvent);
    },
    take: async (name, reader) => {
      const keys = [sessionKey(name.session), stateKey(name), overKey(name)];
      const taken = await redis.mcpTake(...keys, write(reader), open, name.stream);
      if (!taken) return undefined;
      const [previous, cursor, changes] = taken;
      return {
        previous: parse(previous),
        cursor: cursor || undefined,
        changes: changes ? Number(changes) : undefined,
      };
    },
    renew: async (name, reader, { cursor = '', changes = '' }) => {
      const keys = [sessionKey(name.session), eventsKey(name), stateKey(name)];
      return (await redis.mcpRenew(...keys, write(reader), open, cursor, changes)) === 1;
    },
    release: async (name, reader) => {
      const keys = [sessionKey(name.session), eventsKey(name), stateKey(name), overKey(name)];
      await redis.mcpRelease(...keys, write(reader), name.stream, over, limits.over);
    },
    state: async (name) => {
      const [reader = null, requests, ended, used] = await redis.hmget(
        stateKey(name),
        'reader',
        'requests',
        'over',
        'bytes',
      );
      if (!reader && !used) return undefined;
      return { reader: parse(reader), requests: requests ?? undefined, over: ended === '1' };
    },
    owe: async (name, replica, requests) => {
      await redis.mcpOwe(sessionKey(name.session), stateKey(name), `${DEBT}${replica}`, requests, open);
    },
    debts: async (name) => {
      const fields = Object.entries(await redis.hgetall(stateKey(name)));
      return new Map(
        fields.flatMap(([field, value]) => (field.startsWith(DEBT) ? [[field.slice(DEBT.length), value]] : [])),
      );
    },
  };
}

const toEvent = ([id, [, data = '', , last]]: [string, string[]]): StreamEvent => ({ id, data, last: last === '1' });
