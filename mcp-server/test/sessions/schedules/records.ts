/**
 * Owns the storage that all replicas of a model run share: the memory adapters, and a record of every effect in them.
 */
import type { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import type { ChangeLog, EventLog, MessageBus, Reader, SessionStore, StreamName } from '../../../src/sessions/ports.ts';
import { createMemoryChangeLog } from '../../../src/storage/memory/change-log.ts';
import { createMemoryEventLog, type MemoryEventLog } from '../../../src/storage/memory/event-log.ts';
import { createMemoryBus, type ReplicaListeners } from '../../../src/storage/memory/message-bus.ts';
import { createMemorySessionStore } from '../../../src/storage/memory/session-store.ts';

export const LIMITS = { idleTimeout: 3_600, lifetime: 36_000, maxSessions: 9, maxSessionsPerPrincipal: 9 };
const BYTES = { bytes: 1_000_000, sessionBytes: 1_000_000, personBytes: 1_000_000, totalBytes: 1_000_000 };
const LOG_LIMITS = { events: 1_000, ...BYTES, keepOpen: 3_600, keepOver: 3_600, over: 100 };

export interface Logged {
  readonly id: string;
  readonly data: string;
  readonly changes: number | undefined;
  /** The replicas that were to be notified. */
  readonly reader: Reader | undefined;
}

/** The effects, in order. */
export interface Facts {
  readonly logs: Map<string, Logged[]>;
  readonly ended: Set<string>;
  readonly recorded: { readonly change: string; readonly version: number }[];
  /** Effects that must never happen. */
  readonly breaches: string[];
}

export interface Records {
  readonly store: SessionStore;
  readonly log: EventLog;
  readonly changes: ChangeLog;
  readonly busOf: (replica: string) => MessageBus;
}

export const keyOf = ({ session, stream }: StreamName): string => `${session} ${stream}`;

/** @param exists tells the log whether a session still exists; asks the store, unless a mutation replaces it */
export function createRecords(clock: FakeClock, exists?: () => boolean): { records: Records; facts: Facts } {
  const listeners: ReplicaListeners = new Map();
  const store = createMemorySessionStore(LIMITS, clock, (id) => log.forget(id));
  const log = createMemoryEventLog(clock, LOG_LIMITS, (id) => {
    const goesOn = exists?.() ?? store.personOf(id) !== undefined;
    return goesOn ? 'somebody' : undefined;
  });
  const facts: Facts = { logs: new Map(), ended: new Set(), recorded: [], breaches: [] };
  const records = {
    store: observeStore(store, facts),
    log: observeLog(log, facts),
    changes: observeChanges(createMemoryChangeLog(), facts),
    busOf: (replica: string) => createMemoryBus(replica, listeners),
  };
  return { records, facts };
}

const observeStore = (store: SessionStore, { ended }: Facts): SessionStore => ({
  ...store,
  delete: async (id) => {
    ended.add(id);
    return store.delete(id);
  },
});

function observeLog(log: MemoryEventLog, { logs, ended, breaches }: Facts): EventLog {
  return {
    ...log,
    append: async (name, event) => {
      const before = log.read(name, undefined, 1_000).length;
      const appended = log.append(name, event);
      const added = log.read(name, undefined, 1_000).slice(before);
      const known = logs.get(keyOf(name)) ?? [];
      const about = { changes: event.changes, reader: appended && 'reader' in appended ? appended.reader : undefined };
      logs.set(keyOf(name), [...known, ...added.map(({ id, data }) => ({ id, data, ...about }))]);
      if (ended.has(name.session) && added.length > 0) breaches.push(`${event.data} was written after the end`);
      return appended;
    },
    take: async (name, reader) => {
      const taken = await log.take(name, reader);
      if (ended.has(name.session) && taken) breaches.push('a stream was opened after the end');
      return taken;
    },
  };
}

const observeChanges = (changes: ChangeLog, { recorded }: Facts): ChangeLog => ({
  ...changes,
  record: async (change) => {
    const version = await changes.record(change);
    recorded.push({ change, version });
    return version;
  },
});
