/** Owns the bus of replicas in one process: of the single replica without Redis, and of several replicas in tests. */
import type { BusMessage, MessageBus } from '../../sessions/ports.ts';

/** The listeners of the replicas in one process, by replica. */
export type ReplicaListeners = Map<string, (message: BusMessage) => void>;

export function createMemoryBus(replica: string, listeners: ReplicaListeners = new Map()): MessageBus {
  listeners.set(replica, () => {});
  return {
    replica,
    send: async (to, message) => {
      const deliver = listeners.get(to);
      deliver?.(message);
      return deliver !== undefined;
    },
    broadcast: async (message) => {
      for (const [name, deliver] of listeners) if (name !== replica) deliver(message);
    },
    isAlive: async (name) => listeners.has(name),
    isListening: async (name) => listeners.has(name),
    subscribe: (onMessage) => {
      listeners.set(replica, onMessage);
    },
    close: async () => {
      listeners.delete(replica);
    },
  };
}
