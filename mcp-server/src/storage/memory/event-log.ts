/** Owns the logs of streams in one process: the `EventLog` of a server without Redis. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Append, EventLog, LogLimits, Reader, StreamEvent, StreamName } from '../../sessions/ports.ts';

interface Log {
  readonly events: StreamEvent[];
  bytes: number;
  /** Number of the newest event. */
  top: number;
  reader?: Reader;
  cursor?: string;
  changes?: number;
  requests?: string;
  readonly debts: Map<string, string>;
  over: boolean;
  /** The last sequence of each producer. */
  readonly written: Map<string, number>;
  /** Milliseconds since the epoch. */
  expires: number;
}

interface SessionLogs {
  readonly streams: Map<string, Log>;
  /** Those that are over and that nobody reads, oldest first. */
  readonly over: Set<string>;
}

export interface MemoryEventLog extends EventLog {
  /** Drops the logs of a session that has ended. */
  forget(session: string): void;
}

/** @param exists whether a session goes on */
export function createMemoryEventLog(
  clock: Clock,
  limits: LogLimits,
  exists: (session: string) => Promise<boolean>,
): MemoryEventLog {
  const sessions = new Map<string, SessionLogs>();
  const extend = (log: Log): void => {
    log.expires = clock.now() + (log.over ? limits.keepOver : limits.keepOpen) * 1000;
  };
  const open = ({ session, stream }: StreamName): Log => {
    const logs = sessions.get(session) ?? { streams: new Map(), over: new Set() };
    sessions.set(session, logs);
    const known = logs.streams.get(stream);
    if (!known) dropExpired(logs, clock.now());
    const log = known ?? {
      events: [],
      bytes: 0,
      top: 0,
      over: false,
      written: new Map(),
      debts: new Map(),
      expires: 0,
    };
    logs.streams.set(stream, log);
    extend(log);
    return log;
  };
  const retire = ({ session, stream }: StreamName, { over, reader }: Log): void => {
    const logs = sessions.get(session);
    if (!logs || !over || reader) return;
    logs.over.delete(stream);
    logs.over.add(stream);
    const [oldest] = logs.over;
    if (logs.over.size > limits.over && oldest !== undefined) drop(logs, oldest);
  };
  const find = ({ session, stream }: StreamName): Log | undefined => {
    const log = sessions.get(session)?.streams.get(stream);
    return log && (log.reader || log.expires > clock.now()) ? log : undefined;
  };

  return {
    append: async (name, event) => {
      if (!(await exists(name.session))) return undefined;
      const log = open(name);
      if (log.over && !isRepeated(log, event)) return undefined;
      write(log, event, limits);
      extend(log);
      retire(name, log);
      return { reader: log.reader };
    },
    read: async (name, after, limit) => {
      const events = find(name)?.events ?? [];
      const cursor = numberOf(after);
      const first = events.findIndex(({ id }) => numberOf(id) > cursor);
      return first < 0 ? [] : events.slice(first, first + limit);
    },
    take: async (name, reader) => {
      if (!(await exists(name.session))) return undefined;
      const log = open(name);
      const { reader: previous, cursor, changes } = log;
      log.reader = reader;
      sessions.get(name.session)?.over.delete(name.stream);
      return { previous, cursor, changes };
    },
    renew: async (name, reader, { cursor, changes }) => {
      const log = find(name);
      if (!log || !isSame(log.reader, reader)) return false;
      if (cursor !== undefined) log.cursor = cursor;
      if (changes !== undefined) log.changes = Math.max(changes, log.changes ?? 0);
      extend(log);
      return true;
    },
    release: async (name, reader) => {
      const log = find(name);
      if (!log || !isSame(log.reader, reader)) return;
      delete log.reader;
      extend(log);
      retire(name, log);
    },
    state: async (name) => {
      const log = find(name);
      return log && { reader: log.reader, requests: log.requests, over: log.over };
    },
    owe: async (name, replica, requests) => {
      if (!(await exists(name.session))) return;
      const { debts } = open(name);
      if (requests) debts.set(replica, requests);
      else debts.delete(replica);
    },
    debts: async (name) => new Map(find(name)?.debts),
    forget: (session) => void sessions.delete(session),
  };
}

function drop({ streams, over }: SessionLogs, stream: string): void {
  streams.delete(stream);
  over.delete(stream);
}

function dropExpired(logs: SessionLogs, now: number): void {
  for (const [stream, { expires, reader }] of logs.streams) if (!reader && expires <= now) drop(logs, stream);
}

const numberOf = (id: string | undefined): number => Number(id?.split('-')[0] ?? 0) || 0;

const isSame = (a: Reader | undefined, b: Reader): boolean => a?.replica === b.replica && a.connection === b.connection;

const isRepeated = ({ written }: Log, { producer, sequence }: Append): boolean =>
  (written.get(producer) ?? 0) >= sequence;

function write(log: Log, event: Append, { events: most, bytes: largest }: LogLimits): void {
  const { data, last = false, producer, sequence, requests, changes } = event;
  if (isRepeated(log, event) || (changes !== undefined && changes <= (log.changes ?? -1))) return;
  log.written.set(producer, sequence);
  log.top += 1;
  log.events.push({ id: `${log.top}-0`, data, last });
  log.bytes += Buffer.byteLength(data);
  log.over ||= last;
  if (requests !== undefined) log.requests ??= requests;
  if (changes !== undefined) log.changes = changes;
  while (log.events.length > 1 && (log.events.length > most || log.bytes > largest)) {
    log.bytes -= Buffer.byteLength(log.events.shift()?.data ?? '');
  }
}
