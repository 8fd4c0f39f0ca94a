/**
 * Owns the session storage without Redis: everything in this process, for one replica (and for several of them in
 * tests).
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import type { LogLimits, SessionStorage } from '../../sessions/ports.ts';
import type { SessionLimits } from '../../sessions/session.ts';
import { createMemoryChangeLog } from './change-log.ts';
import { createMemoryEventLog } from './event-log.ts';
import { createMemoryBus, type ReplicaListeners } from './message-bus.ts';
import { createMemorySessionStore } from './session-store.ts';

/** @returns a function that creates the storage of one more replica over the same records */
export function createMemoryStorage(clock: Clock, limits: SessionLimits, logLimits: LogLimits): () => SessionStorage {
  const listeners: ReplicaListeners = new Map();
  const store = createMemorySessionStore(limits, clock, (id) => log.forget(id));
  const log = createMemoryEventLog(clock, logLimits, store.personOf);
  const changes = createMemoryChangeLog();
  return () => ({ store, log, changes, bus: createMemoryBus(randomBytes(6).toString('hex'), listeners) });
}
