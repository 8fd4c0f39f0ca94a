/**
 * Owns the initial access tokens (RFC 7591 §3): the holder of one may register clients until it expires or is used up. All tokens
 * are one record, which contains only their SHA-256. Changes use compare-and-set, so that two requests never get the same use.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError, StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject } from '@mcp-oauth/shared/json';
import type { RecordStore } from '../storage/record-store.ts';

export interface InitialAccessToken {
  /** Identifies the token for operators and in the log; it gives no access. */
  readonly id: string;
  readonly purpose: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Remaining registrations; absent: unlimited. */
  readonly uses?: number;
}

interface NewToken {
  readonly purpose: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly uses?: number | undefined;
}

export interface InitialAccessTokens {
  /** Creates a token; only the answer contains it. */
  add(token: NewToken): Promise<InitialAccessToken & { readonly token: string }>;
  /** The valid tokens, oldest first. */
  list(): Promise<readonly InitialAccessToken[]>;
  /** @returns false if there was none */
  remove(id: string): Promise<boolean>;
  /** The token, if it is valid. */
  find(token: string): Promise<InitialAccessToken | undefined>;
  /** Takes one use. @returns false if none is left */
  spend(id: string): Promise<boolean>;
}

interface Kept extends InitialAccessToken {
  readonly digest: string;
}

const KIND = 'InitialAccessToken';
const ID = 'all';
const MAX_TOKENS = 1_000;
/** An attempt fails if another request has changed the record, so only very many concurrent requests reach this number. */
const MAX_ATTEMPTS = 200;

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const describe = ({ digest: _, ...token }: Kept): InitialAccessToken => token;

export function createInitialAccessTokens(store: RecordStore, clock: Clock): InitialAccessTokens {
  async function load() {
    const before = (await store.get(KIND, ID))?.value;
    const all = (before?.tokens ?? []) as readonly Kept[];
    return { before, good: all.filter(({ expiresAt }) => expiresAt > seconds(clock)) };
  }

  /** @param change returns the new tokens, or `undefined` for no change. @returns whether they were changed */
  async function update(change: (good: readonly Kept[]) => readonly Kept[] | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const { before, good } = await load();
      const tokens = change(good);
      if (!tokens) return false;
      if (await write(before, { tokens })) return true;
    }
    const headers = { 'Retry-After': '2' };
    throw new HttpError(503, 'temporarily_unavailable', 'Too many registrations at once.', { headers });
  }

  function write(before: JsonObject | undefined, after: { readonly tokens: readonly Kept[] }): Promise<boolean> {
    const last = Math.max(0, ...after.tokens.map(({ expiresAt }) => expiresAt));
    const ttl = Math.max(1, last - seconds(clock));
    return before ? store.replace(KIND, ID, { before, after, ttl }) : store.putIfAbsent(KIND, ID, after, { ttl });
  }

  return {
    add: async ({ purpose, lifetime, uses }) => {
      const token = randomBytes(32).toString('base64url');
      const digest = digestOf(token);
      const now = seconds(clock);
      const times = { createdAt: now, expiresAt: now + lifetime };
      const kept = { id: digest.slice(0, 12), purpose, ...times, ...(uses !== undefined && { uses }), digest };
      await update((good) => {
        if (good.length < MAX_TOKENS) return [...good, kept];
        throw new StartError(`the maximum of ${MAX_TOKENS} initial access tokens is reached: remove some first`);
      });
      return { ...describe(kept), token };
    },
    list: async () => (await load()).good.map(describe),
    remove: (id) =>
      update((good) => (good.some((token) => token.id === id) ? good.filter((token) => token.id !== id) : undefined)),
    find: async (token) => {
      const digest = digestOf(token);
      const found = (await load()).good.find((kept) => kept.digest === digest);
      return found && describe(found);
    },
    spend: async (id) => {
      const token = (await load()).good.find((kept) => kept.id === id);
      return token !== undefined && (token.uses === undefined || update((good) => withoutOneUse(good, id)));
    },
  };
}

/** The tokens after one use: a token without uses is removed. `undefined` if it is removed already. */
function withoutOneUse(good: readonly Kept[], id: string): readonly Kept[] | undefined {
  const token = good.find((kept) => kept.id === id);
  if (!token) return undefined;
  const { uses = 1 } = token;
  if (uses === 1) return good.filter((kept) => kept !== token);
  return good.map((kept) => (kept === token ? { ...kept, uses: uses - 1 } : kept));
}
