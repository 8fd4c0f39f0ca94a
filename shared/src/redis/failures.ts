/**
 * Owns what the error of a command means: Redis can't be used now, a command or script of ours is wrong, or neither, which is a fault
 * of our own code.
 */
import { refusalOf } from './refusals.ts';

/**
 * ioredis says with a plain `Error`, or with one of its own, that a command was not sent or that its connection was lost. A socket
 * that tried several addresses says so with an `AggregateError`. Faults of code have other names: TypeError, SyntaxError, RangeError.
 */
const NAMES = new Set([
  'Error',
  'AggregateError',
  'RedisError',
  'AbortError',
  'InterruptError',
  'ParserError',
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
]);

/** Replies that blame the command itself, or the script that it ran. Any other reply is about the node or about our rights there. */
const BAD_COMMAND =
  /^(WRONGTYPE|CROSSSLOT|ERR (wrong number of arguments|syntax error|value is not|user_script:|Error (running|compiling) script))/;

/** @returns nothing for an error that does not come from Redis or the way there */
export function redisFailureOf(error: unknown): 'unavailable' | 'bad_command' | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name !== 'ReplyError') return NAMES.has(error.name) ? 'unavailable' : undefined;
  return !refusalOf(error) && BAD_COMMAND.test(error.message) ? 'bad_command' : 'unavailable';
}
