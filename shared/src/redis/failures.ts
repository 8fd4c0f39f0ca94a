/**
 * Owns the meaning of the error of a command: Redis is unavailable, a command or script is wrong, or neither, which is a fault of our
 * own code.
 */
import { refusalOf } from './refusals.ts';

/**
 * ioredis throws a plain `Error`, or one of its own types, if a command was not sent or its connection was lost. A socket that tried
 * several addresses throws an `AggregateError`. Faults of code have other names: TypeError, SyntaxError, RangeError.
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

/** Replies about the command itself, or about the script that it ran. Any other reply is about the node or about our permissions. */
const BAD_COMMAND =
  /^(WRONGTYPE|CROSSSLOT|ERR (wrong number of arguments|syntax error|value is not|user_script:|Error compiling script|Error running script (?!.*(?:: -|Script killed))))/;

/** @returns `undefined` for an error that comes neither from Redis nor from the connection */
export function redisFailureOf(error: unknown): 'unavailable' | 'bad_command' | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name !== 'ReplyError') return NAMES.has(error.name) ? 'unavailable' : undefined;
  return !refusalOf(error) && BAD_COMMAND.test(error.message) ? 'bad_command' : 'unavailable';
}
