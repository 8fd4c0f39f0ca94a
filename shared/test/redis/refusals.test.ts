/** Proves what is taken from error replies of Redis: the node that sent them, and never data of a caller. */
import { refusalOf } from '@mcp-oauth/shared/redis/refusals';
import { expect, it } from 'vitest';

it.each([
  ["READONLY You can't write against a read only replica.", 'READONLY', true],
  ["READONLY You can't write against a read only replica. script: 5f2, on @user_script:1.", 'READONLY', true],
  ['UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)', 'UNBLOCKED', true],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", 'MASTERDOWN', true],
  ["EXECABORT Transaction discarded because of: READONLY You can't write against a read only replica.", 'READONLY', true],
  ["ERR Error running script (call to f_5f2): @user_script:2: @user_script: 2: -READONLY You can't write", 'READONLY', true],
  ['LOADING Redis is loading the dataset in memory', 'LOADING', false],
  ['NOREPLICAS Not enough good replicas to write.', 'NOREPLICAS', false],
  ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN', false],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'OOM', false],
  ["EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.", 'OOM', false],
  ['MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.', 'MISCONF', false],
  ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.', 'BUSY', false],
])('the error %s is recognized as a refusal', (message, code, isWrongNode) => {
  expect(refusalOf(new Error(message))).toEqual({ code, isWrongNode });
}); // biome-ignore format: one row each

it.each([
  'NOSCRIPT No matching script. Please use EVAL.',
  "ERR unknown command 'x', with args beginning with: 'READONLY' '-READONLY'",
  'WRONGTYPE Operation against a key holding the wrong kind of value',
  'READONLYISH is no code',
  'ERR user said: -READONLY',
])('an error that says nothing about the node is no refusal: %s', (message) => {
  expect(refusalOf(new Error(message))).toBeUndefined();
  expect(refusalOf(message)).toBeUndefined();
});
