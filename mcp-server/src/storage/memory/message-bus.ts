/** Owns the bus of replicas that share a process: of the one replica without Redis, and of several in tests. */
import type { BusMessage, MessageBus } from '../../sessions/ports.ts';

/** Where the replicas of one process meet. */
export type Exchange = Map<string, (message: BusMessage) => void>;

export function createMemoryBus(replica: string, exchange: Exchange = new Map()): MessageBus {
  exchange.set(replica, () => {});
  return {
    replica,
    send: async (to, message) => {
      const deliver = exchange.get(to);
      deliver?.(message);
      return deliver !== undefined;
    },
    broadcast: async (message) => {
      for (const [name, deliver] of exchange) if (name !== replica) deliver(message);
    },
    isAlive: async (name) => exchange.has(name),
    isListening: async (name) => exchange.has(name),
    subscribe: (onMessage) => void exchange.set(replica, onMessage),
    close: async () => void exchange.delete(replica),
  };
}
