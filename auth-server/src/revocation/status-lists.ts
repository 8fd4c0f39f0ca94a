/**
 * Owns which entry of which status list a token refers to. A list is for the tokens of one period. Its id tells nobody when it was made,
 * and entries that belong to no token (decoys) tell nobody how many tokens there are or how many were revoked.
 */
import { createHmac } from 'node:crypto';
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import type { JsonObject } from '@mcp-oauth/shared/json';
import { type StatusClaim, setBit } from '@mcp-oauth/shared/status-list/status-list';
import { LIST_SIZE, type StatusStore } from './status-store.ts';

export interface StatusReference extends JsonObject {
  readonly list: string;
  readonly idx: number;
  /** When the last token with this reference has expired, in seconds since the epoch. */
  readonly until: number;
}

/** What an ending needs of the lists. */
export interface StatusMarks {
  /** Marks references in the published lists. Those whose tokens have all expired are left out. */
  mark(references: readonly StatusReference[]): Promise<void>;
}

export interface StatusLists extends StatusMarks {
  /** A new reference, in the list of the current period. */
  allocate(): Promise<StatusReference>;
  /**
   * The reference that a token until `exp` carries, if its owner has one already. A clock that was set ahead by mistake, and back, has left
   * references that last for too long: their list ends before them, and no token with them would be accepted.
   */
  find(kept: readonly StatusReference[], exp: number): StatusReference | undefined;
  /** Whether one of the references is good for all tokens that are issued in this period. */
  isCurrent(kept: readonly StatusReference[]): boolean;
  /** The list of the current period that this process used last; it is not there before its first reference. */
  newest(): string;
  /** The URL of a list, which its tokens carry. */
  uriOf(list: string): string;
  /** Whether the token with this reference has ended. One to a list that is not there has ended as well. */
  isEnded(reference: StatusClaim['status_list']): Promise<boolean>;
}

/** A random integer from 0 to `below - 1`. */
type RandomBelow = (below: number) => number;

interface Dependencies {
  readonly store: StatusStore;
  readonly clock: Clock;
  readonly random: RandomBelow;
}

export interface StatusListOptions extends Dependencies {
  readonly issuer: string;
  /** Derives the ids of the lists. */
  readonly secret: string;
  /** Keeps lists for different kinds of tokens apart. */
  readonly name: string;
  /** Seconds for whose tokens one list is made. */
  readonly period: number;
  /** Seconds that a token lives at most. */
  readonly lifetime: number;
}

const HOUR = 3_600;
/** Periods in the life of a token. */
const PERIODS = 8;

/**
 * The period of the lists for tokens of this lifetime: an hour, or longer, so that at most ten lists are needed at a time. A resource
 * server reads each of them every few seconds, and reads only so many of one issuer.
 */
export const periodFor = (lifetime: number): number => Math.max(HOUR, Math.ceil(lifetime / PERIODS));

/** Path of the lists below the issuer. */
export const STATUS_PATH = '/status/';

/** A path segment that may be a list. */
export const LIST_ID = /^[\w-]{22}$/;

/** Seconds that a list outlives its last token: clocks differ. */
const MARGIN = 300;

/** Entries that are tried at once: with four of five taken, all of them are taken in one of 35 cases. */
const CANDIDATES = 16;
/** A list counts as full when so many times in a row all of them were taken: with four of five taken, that is one of 45,000 cases. */
const TRIES = 3;

const DECOYS = { least: 1_000, most: 4_000 } as const;
const DECOYS_OF_A_MARK = 3;
/** Marks in one command, so that none of them delays others. */
const AT_ONCE = 1_000;

export function createStatusMarks({ store, clock, random }: Dependencies): StatusMarks {
  return {
    mark: async (references) => {
      const now = seconds(clock);
      const byList = Map.groupBy(
        references.filter(({ until }) => until > now),
        ({ list }) => list,
      );
      for (const [list, members] of byList) {
        for (let n = 0; n < members.length; n += AT_ONCE) {
          const indexes = members.slice(n, n + AT_ONCE).map(({ idx }) => idx);
          await store.mark(list, indexes, entries(random, 1 + random(DECOYS_OF_A_MARK)));
        }
      }
    },
  };
}

export function createStatusLists(options: StatusListOptions): StatusLists {
  const { store, clock, random, issuer, secret, name, period, lifetime } = options;
  /** The newest list of the period: the lists before it are full. */
  let newest = { start: 0, overflow: 0 };

  const listOf = (start: number, overflow: number): string =>
    createHmac('sha256', secret).update(`status list\n${name}\n${start}\n${overflow}`).digest('base64url').slice(0, 22);

  /** @returns `undefined` if the list is full */
  const allocateIn = async (list: string, ttl: number): Promise<number | undefined> => {
    let isCreated = false;
    for (let tries = 0; tries < TRIES; ) {
      const idx = await store.allocate(list, entries(random, CANDIDATES), ttl);
      if (idx === 'full') tries += 1;
      else if (idx !== 'missing') return idx;
      else if (isCreated) throw new Error('a status list disappeared right after it was created');
      else {
        await store.create(list, decoyBits(random), ttl);
        isCreated = true;
      }
    }
    return undefined;
  };

  const current = () => {
    const now = seconds(clock);
    const start = now - (now % period);
    return { now, start, until: start + period + lifetime };
  };

  // Another process may be in the next period already.
  const find = (kept: readonly StatusReference[], exp: number): StatusReference | undefined => {
    const latest = current().until + period;
    return kept.find(({ until }) => until >= exp && until <= latest);
  };

  return {
    ...createStatusMarks(options),
    newest: () => {
      const { start } = current();
      return listOf(start, newest.start === start ? newest.overflow : 0);
    },
    uriOf: (list) => issuer + STATUS_PATH + list,
    isEnded: async ({ uri, idx }) => {
      const list = uri.startsWith(issuer + STATUS_PATH) ? uri.slice((issuer + STATUS_PATH).length) : '';
      if (!LIST_ID.test(list) || !Number.isInteger(idx) || idx < 0 || idx >= LIST_SIZE) return true;
      return (await store.isMarked(list, idx)) ?? true;
    },
    find,
    isCurrent: (kept) => find(kept, current().until) !== undefined,
    allocate: async () => {
      const { now, start, until } = current();
      if (newest.start !== start) newest = { start, overflow: 0 };
      for (let { overflow } = newest; ; overflow += 1) {
        const list = listOf(start, overflow);
        const idx = await allocateIn(list, until - now + MARGIN);
        if (newest.start === start) newest.overflow = Math.max(newest.overflow, overflow);
        if (idx !== undefined) return { list, idx, until };
      }
    },
  };
}

/** References of which tokens may still be valid, each once. */
export function liveReferences(now: number, ...sources: readonly (readonly StatusReference[])[]): StatusReference[] {
  const live = sources.flat().filter(({ until }) => until > now);
  return [...new Map(live.map((one) => [`${one.list} ${one.idx}`, one])).values()];
}

const entries = (random: RandomBelow, count: number): number[] =>
  Array.from({ length: count }, () => random(LIST_SIZE));

function decoyBits(random: RandomBelow): Uint8Array {
  const bits = new Uint8Array(LIST_SIZE / 8);
  for (const idx of entries(random, DECOYS.least + random(DECOYS.most - DECOYS.least))) setBit(bits, idx);
  return bits;
}
