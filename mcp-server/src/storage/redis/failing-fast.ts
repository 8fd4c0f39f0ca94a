/** Ensures that callers see an outage of Redis as StorageUnavailable, and a bug in an adapter as StorageFault. */
import type { Logger } from '@mcp-oauth/shared/logger';
import { redisFailureOf } from '@mcp-oauth/shared/redis/failures';
import { StorageFault, StorageUnavailable } from '../../sessions/ports.ts';

/**
 * What is no outage is logged as an error here, once for each call: in the background nothing awaits the result.
 * @returns the port, whose promises and lists reject with StorageUnavailable when Redis can't be used, and with StorageFault when it
 * refuses a command or script of this server as wrong, or when the adapter throws
 */
export function failingFast<T extends object>(port: T, log: Pick<Logger, 'error'>): T {
  const translate = (error: unknown): never => {
    const failure = redisFailureOf(error);
    const message = error instanceof Error ? error.message : String(error);
    if (failure === 'unavailable') throw new StorageUnavailable(message, { cause: error });
    const event =
      failure === 'bad_command' ? 'redis refused a command of this server as wrong' : 'storage adapter failed';
    log.error({ err: error }, event);
    throw new StorageFault(message, { cause: error });
  };
  const guardedItems = async function* (items: AsyncIterable<unknown>): AsyncGenerator<unknown> {
    try {
      yield* items;
    } catch (error) {
      translate(error);
    }
  };
  const guarded = Object.entries(port).map(([name, value]) => {
    if (typeof value !== 'function') return [name, value];
    const run = (...args: unknown[]) => {
      const result: unknown = value(...args);
      if (isAsyncIterable(result)) return guardedItems(result);
      return result instanceof Promise ? result.catch(translate) : result;
    };
    return [name, run];
  });
  return Object.fromEntries(guarded);
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
