/** Owns how commands wait for a lost connection, so that no sign-in fails because Redis restarts or changes its primary. */
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';
import { refusalOf } from '@mcp-oauth/shared/redis/refusals';
import { StoreUnavailable } from './record-store.ts';

export interface Patience {
  /** `undefined` if there is a connection. Else resolves when there is one, or after the maximum wait. */
  connected(): Promise<void> | undefined;
  /** Runs `command`, and again on every new connection as long as it was not executed because the node is not the primary. */
  atPrimary<T>(command: () => Promise<T>): Promise<T>;
}

/**
 * Waits before a command is sent, or after it was refused. A command that was sent and got no answer may have been executed, and
 * must not be sent twice.
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
    // A client that was closed on purpose does not reconnect.
    connected: () => (client.status === 'ready' || client.status === 'end' ? undefined : untilReady(patience)),
    atPrimary: (command) => {
      const since = performance.now();
      // Nearly every command succeeds: it costs one promise.
      return command().catch(async (failure) => {
        for (let error = failure; ; ) {
          const left = since + patience - performance.now();
          if (!wasLeftUndone(error) || left <= 0) throw error;
          // The connection is being closed, although it may still be reported as ready.
          await untilReady(left);
          try {
            return await command();
          } catch (again) {
            error = again;
          }
        }
      });
    },
  };
}

/** How often a connection may be lost during the start. */
const MOST_ATTEMPTS = 5;

/**
 * Does the work of a start again if the connection was lost before an answer: a command that may have been executed is not sent twice
 * otherwise. A refusal of Redis is thrown at once.
 * @param start may be run again after it failed
 */
export async function patientStart<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start();
    } catch (error) {
      const isLost = error instanceof StoreUnavailable && (error.cause as Error | undefined)?.name !== 'ReplyError';
      if (!isLost || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}

/** Message of ioredis for a command that it did not send, because the connection is being closed. */
const NOT_SENT = "Stream isn't writeable";

const wasLeftUndone = (error: unknown): boolean =>
  refusalOf(error)?.isWrongNode === true || (error instanceof Error && error.message.startsWith(NOT_SENT));
