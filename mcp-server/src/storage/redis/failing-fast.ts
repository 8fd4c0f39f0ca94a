/** Ensures that callers see an outage of Redis as StorageUnavailable. A bug in an adapter stays visible as such. */
import type { Logger } from '@mcp-oauth/shared/logger';
import { redisFailureOf } from '@mcp-oauth/shared/redis/failures';
import { StorageUnavailable } from '../../sessions/ports.ts';

/**
 * Redis also refuses an invalid command or script of this server. It is logged as a bug, but the caller gets
 * StorageUnavailable: in the background, where nothing awaits the result, any other error would end the process.
 * @returns the port, whose promises and lists reject with StorageUnavailable when Redis can't be used
 */
export function failingFast<T extends object>(port: T, log: Pick<Logger, 'error'>): T {
  const translate = (error: unknown): never => {
    const failure = redisFailureOf(error);
    if (failure === undefined) throw error;
    if (failure === 'bad_command') log.error({ err: error }, 'redis refused a command of this server as wrong');
    throw new StorageUnavailable((error as Error).message, { cause: error });
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
