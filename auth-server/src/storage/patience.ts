/** Owns how commands wait for a connection that was lost, so that a restart of Redis costs nobody their sign-in. */
import type { RedisClient } from '@mcp-oauth/shared/redis';

/**
 * Waits before something is sent, never after: what was sent may have been done, and must not be done twice.
 * @param patience milliseconds
 * @returns resolves when there is a connection, or when the patience is over
 */
export function createPatience(client: RedisClient, patience: number): () => Promise<void> | undefined {
  const waiting = new Set<() => void>();
  client.on('ready', () => {
    for (const goOn of waiting) goOn();
  });
  return () => {
    // A client that was closed on purpose comes back no more.
    if (client.status === 'ready' || client.status === 'end') return undefined;
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        waiting.delete(goOn);
        resolve();
      };
      const timer = setTimeout(goOn, patience);
      waiting.add(goOn);
    });
  };
}
