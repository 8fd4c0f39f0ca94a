/** Owns the logs of streams in one process: the `EventLog` of a server without Redis. */
import type { Clock } from '@mcp-oauth/shared/clock';
import type {
  Append,
  Appended,
  EventLog,
  ExhaustedBudget,
  LogLimits,
  Progress,
  Reader,
  StreamEvent,
  StreamName,
} from '../../sessions/ports.ts';
import { ByteBudgets } from './byte-budgets.ts';
import { type Log, numberOf, SessionLogs } from './session-logs.ts';

export interface MemoryEventLog extends EventLog {
  append(name: StreamName, event: Append): Appended | undefined;
  read(name: StreamName, after: string | undefined, limit: number): readonly StreamEvent[];
  /** Drops the logs of a session that has ended. */
  forget(session: string): void;
}

/** @param personOf the person of a session that has not ended */
export function createMemoryEventLog(
  clock: Clock,
  limits: LogLimits,
  personOf: (session: string) => string | undefined,
): MemoryEventLog {
  const sessions = new Map<string, SessionLogs>();
  const budgets = new ByteBudgets(limits);
  const extend = (log: Log): void => {
    log.expires = clock.now() + (log.over ? limits.keepOver : limits.keepOpen) * 1000;
  };
  const enter = (session: string, person: string): SessionLogs => {
    const logs = new SessionLogs(person, budgets, clock);
    sessions.set(session, logs);
    budgets.enter(logs);
    return logs;
  };
  const open = ({ session, stream }: StreamName, person: string) => {
    const logs = sessions.get(session) ?? enter(session, person);
    const log = logs.open(stream);
    extend(log);
    return { logs, log };
  };
  const find = ({ session, stream }: StreamName): Log | undefined => {
    const log = sessions.get(session)?.streams.get(stream);
    return log && (log.reader || log.expires > clock.now()) ? log : undefined;
  };

  const makeRoom = (logs: SessionLogs, log: Log, size: number): ExhaustedBudget | undefined => {
    const full = budgets.make(logs, size);
    return full === 'session' && logs.dropHanded(log, limits.sessionBytes - size) ? budgets.make(logs, size) : full;
  };

  return {
    append: (name, event) => {
      const person = personOf(name.session);
      if (person === undefined) return undefined;
      const { logs, log } = open(name, person);
      if (isRepeated(log, event)) return { reader: log.reader };
      if (log.over) return undefined;
      const size = Buffer.byteLength(event.data);
      const full = size > 0 && !event.forced ? makeRoom(logs, log, size) : undefined;
      if (full) return { full };
      const [before, newest] = [log.bytes, log.top];
      const isNext = event.after !== undefined && numberOf(log.events.at(-1)?.id) <= numberOf(event.after);
      write(log, event, limits);
      budgets.take(logs, log.bytes - before);
      extend(log);
      logs.retire(name.stream, limits.over);
      return { reader: log.reader, ...(isNext && log.top > newest && { id: idOf(log.top) }) };
    },
    read: (name, after, limit) => {
      const log = find(name);
      if (!log) return [];
      // The numbers of a log have no gaps, and the oldest events may be gone.
      const first = Math.max(0, log.events.length - Math.max(0, log.top - numberOf(after)));
      return log.events.slice(first, first + limit);
    },
    take: async (name, reader) => {
      const person = personOf(name.session);
      if (person === undefined) return undefined;
      const { logs, log } = open(name, person);
      const { reader: previous, cursor, changes } = log;
      log.reader = reader;
      logs.use(name.stream);
      return { previous, cursor, changes };
    },
    renew: async (name, reader, progress) => {
      const log = find(name);
      if (!log || !isSame(log.reader, reader)) return false;
      note(log, progress);
      extend(log);
      return true;
    },
    release: async (name, reader, progress) => {
      const log = find(name);
      if (!log || !isSame(log.reader, reader)) return;
      note(log, progress);
      delete log.reader;
      extend(log);
      sessions.get(name.session)?.retire(name.stream, limits.over);
    },
    state: async (name) => {
      const log = find(name);
      return log && { reader: log.reader, requests: log.requests, over: log.over };
    },
    acknowledge: async (name, upTo) => {
      const log = find(name);
      // The events of a stream with several requests are needed to know which of them were answered.
      if (!log || log.pendingRequests.size > 0 || (!log.over && (log.requests?.includes(',') ?? false))) return;
      sessions.get(name.session)?.dropEvents(log, (event) => numberOf(event.id) <= numberOf(upTo));
    },
    discard: async (name, reader) => {
      const log = find(name);
      if (log?.over && (!log.reader || isSame(log.reader, reader))) sessions.get(name.session)?.drop(name.stream);
    },
    notePending: async (name, replica, requests) => {
      const person = personOf(name.session);
      if (person === undefined) return;
      const { pendingRequests } = open(name, person).log;
      if (requests) pendingRequests.set(replica, requests);
      else pendingRequests.delete(replica);
    },
    pendingRequests: async (name) => new Map(find(name)?.pendingRequests),
    forget: (session) => {
      const logs = sessions.get(session);
      if (logs) budgets.leave(logs);
      sessions.delete(session);
    },
  };
}

const isSame = (a: Reader | undefined, b: Reader): boolean => a?.replica === b.replica && a.connection === b.connection;

const isRepeated = ({ written }: Log, { producer, sequence }: Append): boolean =>
  (written.get(producer) ?? 0) >= sequence;

const idOf = (number: number): string => `${number}-0`;

function note(log: Log, { cursor, changes }: Progress): void {
  if (cursor !== undefined) log.cursor = cursor;
  if (changes !== undefined) log.changes = Math.max(changes, log.changes ?? 0);
}

function write(log: Log, event: Append, { events: most, bytes: largest }: LogLimits): void {
  const { data, last = false, producer, sequence, requests, changes } = event;
  if (changes !== undefined && changes <= (log.changes ?? -1)) return;
  log.written.set(producer, sequence);
  log.top += 1;
  log.events.push({ id: idOf(log.top), data, last });
  log.bytes += Buffer.byteLength(data);
  log.over ||= last;
  if (requests !== undefined) log.requests ??= requests;
  if (changes !== undefined) log.changes = changes;
  while (log.events.length > 1 && (log.events.length > most || log.bytes > largest)) {
    log.bytes -= Buffer.byteLength(log.events.shift()?.data ?? '');
  }
}
