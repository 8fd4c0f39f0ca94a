/**
 * Owns the logs of streams on Redis: a Redis Stream for the events of each, and a hash with its reader and
 * progress.
 */
import type { Owner } from '../../authorization/principal.ts';
import {
  type EventLog,
  type ExhaustedBudget,
  GUARANTEED_BYTES,
  type LogLimits,
  type Reader,
  type StreamEvent,
  type StreamName,
} from '../../sessions/ports.ts';
import type { Ledger } from './ledger.ts';
import { type SessionRedis, sessionKey } from './scripts.ts';

const eventsKey = ({ session, stream }: StreamName): string => `${sessionKey(session)}:events:${stream}`;
const stateKey = ({ session, stream }: StreamName): string => `${sessionKey(session)}:stream:${stream}`;

/** Prefix of a replica's name in the hash of a stream. */
const PENDING_FIELD = 'o:';

/** Names of ended streams without a reader, oldest first. */
const overKey = ({ session }: StreamName): string => `${sessionKey(session)}:over`;

const write = ({ replica, connection }: Reader): string => `${replica}/${connection}`;

function parse(text: string | null): Reader | undefined {
  const [replica, connection] = text?.split('/') ?? [];
  return replica && connection ? { replica, connection } : undefined;
}

export function createRedisEventLog(redis: SessionRedis, limits: LogLimits, ledger: Ledger): EventLog {
  const [open, over] = [limits.keepOpen * 1000, limits.keepOver * 1000];
  const tellLedger = async (session: string, owner: string, bytes: number): Promise<void> =>
    ledger.tell(session, JSON.parse(owner) as Owner, bytes);
  return {
    append: async (name, given) => {
      const { data, producer, sequence, last = false, requests = '', changes = '', forced = false, after = '' } = given;
      const keys = [sessionKey(name.session), eventsKey(name), stateKey(name), overKey(name)];
      const event = [data, producer, sequence, last ? 1 : 0, requests, changes];
      const bounds = [limits.events, limits.bytes, last ? over : open, name.stream, limits.over];
      const budget = [forced ? 1 : 0, limits.sessionBytes, GUARANTEED_BYTES, Math.max(open, over)];
      const appended = await redis.mcpAppend(...keys, ...event, ...bounds, ...budget, after);
      if (appended === null) return undefined;
      const [reader, bytes, owner, id] = appended;
      if (typeof bytes === 'string') return { full: bytes as ExhaustedBudget };
      // The event is in the log even if this fails.
      if (owner) await tellLedger(name.session, owner, bytes).catch(() => {});
      return { reader: parse(reader), ...(id && { id }) };
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
    release: async (name, reader, { cursor = '', changes = '' }) => {
      const keys = [sessionKey(name.session), eventsKey(name), stateKey(name), overKey(name)];
      await redis.mcpRelease(...keys, write(reader), open, cursor, changes, name.stream, over, limits.over);
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
    acknowledge: async (name, upTo) => {
      await redis.mcpAcknowledge(sessionKey(name.session), eventsKey(name), stateKey(name), name.stream, upTo);
    },
    discard: async (name, reader) => {
      const keys = [sessionKey(name.session), stateKey(name), overKey(name)];
      await redis.mcpDiscard(...keys, name.stream, write(reader));
    },
    notePending: async (name, replica, requests) => {
      await redis.mcpNotePending(
        sessionKey(name.session),
        stateKey(name),
        `${PENDING_FIELD}${replica}`,
        requests,
        open,
      );
    },
    pendingRequests: async (name) => {
      const fields = Object.entries(await redis.hgetall(stateKey(name)));
      return new Map(
        fields.flatMap(([field, value]) =>
          field.startsWith(PENDING_FIELD) ? [[field.slice(PENDING_FIELD.length), value]] : [],
        ),
      );
    },
  };
}

const toEvent = ([id, [, data = '', , last]]: [string, string[]]): StreamEvent => ({ id, data, last: last === '1' });
