/** Proves that an outage of Redis is told apart from a wrong command and from a defect of our own code. */
import { redisFailureOf } from '@mcp-oauth/shared/redis/failures';
import { expect, it } from 'vitest';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
const reply = (message: string): Error => named('ReplyError', message);

it.each([
  new Error('Connection is closed.'),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error("Cluster isn't ready and enableOfflineQueue options is false"),
  Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }),
  new AggregateError([new Error('connect ECONNREFUSED ::1:6379')]),
  named('AbortError', 'Command aborted due to connection close'),
  named('MaxRetriesPerRequestError', 'Reached the max retries per request limit (which is 0).'),
  named('ClusterAllFailedError', 'Failed to refresh slots cache.'),
  reply("READONLY You can't write against a read only replica."),
  reply('LOADING Redis is loading the dataset in memory'),
  reply("ERR Error running script (call to f_5f2): @user_script:2: @user_script: 2: -READONLY You can't write"),
  reply(
    'ERR Error running script (call to f_5f2): @user_script:2: @user_script: 2: -NOPERM this user has no permissions',
  ),
  reply('ERR Error running script (call to f_5f2): @user_script:2: Script killed by user with SCRIPT KILL...'),
  reply('NOPERM this user has no permissions to run the get command'),
  reply('NOAUTH Authentication required.'),
  reply('ERR max number of clients reached'),
])('%s is an outage', (error) => {
  expect(redisFailureOf(error)).toBe('unavailable');
});

it.each([
  reply('WRONGTYPE Operation against a key holding the wrong kind of value'),
  reply("CROSSSLOT Keys in request don't hash to the same slot"),
  reply("ERR wrong number of arguments for 'get' command"),
  reply('ERR value is not an integer or out of range'),
  reply('ERR user_script:3: attempt to perform arithmetic on a nil value script: 5f2, on @user_script:3.'),
  reply('ERR Error running script (call to f_5f2): @user_script:3: user_script:3: attempt to index a nil value'),
  reply('ERR Error compiling script (new function): user_script:1: unexpected symbol'),
])('%s is a wrong command', (error) => {
  expect(redisFailureOf(error)).toBe('bad_command');
});

it.each([
  new TypeError("Cannot read properties of undefined (reading 'owner')"),
  new SyntaxError('Unexpected end of JSON input'),
  new RangeError('Invalid time value'),
  'a text that somebody threw',
])('%s is a fault of our own code', (error) => {
  expect(redisFailureOf(error)).toBeUndefined();
});
