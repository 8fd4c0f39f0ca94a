/** Owns the bus of replicas that share a process: of the one replica without Redis, and of several in tests. */
import type { BusMessage, MessageBus } from '../../sessions/ports.ts';

/** Where the replicas of one process meet. */
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
    subscribe: (onMessage) => void listeners.set(replica, onMessage),
    close: async () => void listeners.delete(replica),
  };
}
