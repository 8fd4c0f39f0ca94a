/** Owns where personal tokens are recorded: one record for each owner, changed by compare-and-set, with at most fifty tokens. */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type RecordStore, StoreUnavailable } from '../storage/record-store.ts';
import type { PersonalToken } from './token.ts';

export interface TokenRecords {
  /** Those that have not expired, oldest first. */
  of(subject: string): Promise<readonly PersonalToken[]>;
  /**
   * Writes what `next` makes of the tokens, until nobody else was faster.
   * @param next returns `undefined` to leave them as they are
   */
  change(
    subject: string,
    next: (tokens: readonly PersonalToken[]) => readonly PersonalToken[] | undefined,
  ): Promise<void>;
}

const KIND = 'PersonalTokens';
/** An attempt fails only because another one succeeded. */
const MOST_ATTEMPTS = 100;

export function createTokenRecords(store: RecordStore, clock: Clock): TokenRecords {
  const read = async (subject: string) => {
    const before = (await store.get(KIND, subject))?.value;
    const all = (before?.tokens ?? []) as readonly PersonalToken[];
    return { before, live: all.filter(({ expiresAt }) => expiresAt > seconds(clock)) };
  };
  return {
    of: async (subject) => (await read(subject)).live,
    change: async (subject, next) => {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const { before, live } = await read(subject);
        const tokens = next(live);
        if (!tokens) return;
        // As a store returns it: without members that are `undefined`.
        const after: JsonObject = JSON.parse(JSON.stringify({ tokens }));
        const ttl = Math.max(1, ...tokens.map(({ expiresAt }) => expiresAt - seconds(clock)));
        const written = before
          ? await store.replace(KIND, subject, { before, after, ttl })
          : await store.putIfAbsent(KIND, subject, after, { ttl });
        if (written) return;
      }
      throw new StoreUnavailable(new Error('too many changes of the personal tokens of one owner at once'));
    },
  };
}
