/**
 * Owns the initial access tokens (RFC 7591 §3): who holds one may register clients until it expires or is used up. They are one
 * record, in which a token is only its SHA-256, changed by compare-and-set so that a use is never given out twice.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { HttpError, StartError } from '@mcp-oauth/shared/errors';
import type { JsonObject, RecordStore } from '../storage/record-store.ts';

export interface InitialAccessToken {
  /** Names the token to operators and in the log; opens nothing. */
  readonly id: string;
  readonly purpose: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Registrations that are left; absent: as many as one likes. */
  readonly uses?: number;
}

interface NewToken {
  readonly purpose: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly uses?: number | undefined;
}

export interface InitialAccessTokens {
  /** Makes a token, which is in the answer and nowhere else. */
  add(token: NewToken): Promise<InitialAccessToken & { readonly token: string }>;
  /** Those that are good, oldest first. */
  list(): Promise<readonly InitialAccessToken[]>;
  /** @returns false where there was none */
  remove(id: string): Promise<boolean>;
  /** The token, where it is good. */
  find(token: string): Promise<InitialAccessToken | undefined>;
  /** Takes one use. @returns false where none is left, whoever was faster */
  spend(id: string): Promise<boolean>;
}

interface Kept extends InitialAccessToken {
  readonly digest: string;
}

const KIND = 'InitialAccessToken';
const ID = 'all';
const MAX_TOKENS = 1_000;
/** Each time somebody else has changed the record, so only a very long queue gets here. */
const MAX_ATTEMPTS = 200;

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const describe = ({ digest: _, ...token }: Kept): InitialAccessToken => token;

export function createInitialAccessTokens(store: RecordStore, clock: Clock): InitialAccessTokens {
  async function load() {
    const before = (await store.get(KIND, ID))?.value;
    const all = (before?.tokens ?? []) as readonly Kept[];
    return { before, good: all.filter(({ expiresAt }) => expiresAt > seconds(clock)) };
  }

  /** @param change the tokens as they shall be, or `undefined` to leave them. @returns whether they were changed */
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
        throw new StartError(`there are ${MAX_TOKENS} initial access tokens already: remove some first`);
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

/** A token with no use left is gone; `undefined` where it is gone already. */
function withoutOneUse(good: readonly Kept[], id: string): readonly Kept[] | undefined {
  const token = good.find((kept) => kept.id === id);
  if (!token) return undefined;
  const { uses = 1 } = token;
  if (uses === 1) return good.filter((kept) => kept !== token);
  return good.map((kept) => (kept === token ? { ...kept, uses: uses - 1 } : kept));
}
