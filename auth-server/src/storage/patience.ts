/** Owns how commands wait for a connection that was lost, so that a restart of Redis or a change of its primary costs nobody their sign-in. */
import type { RedisClient } from '@mcp-oauth/shared/redis';
import { refusalOf } from '@mcp-oauth/shared/redis/refusals';

export interface Patience {
  /** Absent: there is a connection. Else resolves when there is one, or when the patience is over. */
  connected(): Promise<void> | undefined;
  /** Runs `command`, and again on every new connection while it was not carried out because the node was the wrong one. */
  atPrimary<T>(command: () => Promise<T>): Promise<T>;
}

/**
 * Waits before something is sent, or after it was refused. What was sent and got no answer may have been done, and must not be done
 * twice.
 * @param patience milliseconds
 */
export function createPatience(client: RedisClient, patience: number): Patience {
  const waiting = new Set<() => void>();
  client.on('ready', () => {
    for (const goOn of waiting) goOn();
  });
  const untilReady = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, milliseconds);
      waiting.add(goOn);
    });
  return {
    // A client that was closed on purpose comes back no more.
    connected: () => (client.status === 'ready' || client.status === 'end' ? undefined : untilReady(patience)),
    atPrimary: async (command) => {
      const since = performance.now();
      for (;;) {
        try {
          return await command();
        } catch (error) {
          const left = since + patience - performance.now();
          if (!wasLeftUndone(error) || left <= 0) throw error;
          // Its connection is being closed, although it may still count as ready.
          await untilReady(left);
        }
      }
    },
  };
}

/** What ioredis says of a command that it did not send, as the connection is being closed. */
const NOT_SENT = "Stream isn't writeable";

const wasLeftUndone = (error: unknown): boolean =>
  refusalOf(error)?.isWrongNode === true || (error instanceof Error && error.message.startsWith(NOT_SENT));
