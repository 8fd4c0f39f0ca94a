/**
 * Owns the list of scripts that Redis runs for sessions, their streams and their bytes. The keys of each are in one
 * slot of a Cluster: those of one session, one index, one ledger or the change log. Each can run twice without harm,
 * as an answer may be lost. The script's file documents what it does.
 */

import { readLua } from '@mcp-oauth/shared/redis/lua';
import type { RedisClient } from '@mcp-oauth/shared/redis/ready';

/** Increases when records change their format; records of another version are never read. */
export const PREFIX = 'mcp:v1:';

/** The braces keep all keys of one session on one node of a Cluster. */
export const sessionKey = (session: string): string => `${PREFIX}{${session}}`;

/** The file of each script, and its number of keys. */
const SCRIPTS: Readonly<Record<keyof SessionScripts, readonly [file: string, keys: number]>> = {
  mcpEnter: ['sessions/enter', 1],
  mcpUse: ['sessions/use', 1],
  mcpAlter: ['sessions/alter', 1],
  mcpForget: ['sessions/forget', 1],
  mcpAppend: ['streams/append', 4],
  mcpTake: ['streams/take', 3],
  mcpRenew: ['streams/renew', 3],
  mcpRelease: ['streams/release', 4],
  mcpAcknowledge: ['streams/acknowledge', 3],
  mcpDiscard: ['streams/discard', 3],
  mcpNotePending: ['streams/note-pending', 2],
  mcpShed: ['ledger/shed', 1],
  mcpTally: ['ledger/tally', 3],
  mcpRecordChange: ['record-change', 2],
};

type Values = readonly (string | number)[];

/** The methods that `defineCommand` adds to a client. Arguments: keys, then values. */
interface SessionScripts {
  mcpEnter(...args: Values): Promise<string | null>;
  mcpUse(...args: Values): Promise<number>;
  mcpAlter(...args: Values): Promise<number>;
  mcpForget(...args: Values): Promise<number>;
  mcpAppend(
    ...args: Values
  ): Promise<[reader: string, bytesOrFull: number | string, owner?: string, id?: string] | null>;
  mcpTake(...args: Values): Promise<[previous: string, cursor: string, changes: string] | null>;
  mcpRenew(...args: Values): Promise<number>;
  mcpRelease(...args: Values): Promise<number>;
  mcpAcknowledge(...args: Values): Promise<number>;
  mcpDiscard(...args: Values): Promise<number>;
  mcpNotePending(...args: Values): Promise<number>;
  mcpShed(...args: Values): Promise<number>;
  mcpTally(...args: Values): Promise<[sum: number, most: string]>;
  mcpRecordChange(...args: Values): Promise<number>;
}

export type SessionRedis = RedisClient & SessionScripts;

export function withScripts(client: RedisClient): SessionRedis {
  for (const [name, [file, numberOfKeys]] of Object.entries(SCRIPTS)) {
    const lua = readLua(new URL(`./scripts/${file}.lua`, import.meta.url));
    client.defineCommand(name, { numberOfKeys, lua });
  }
  return client as SessionRedis;
}
