/**
 * Owns the tokens of upstreams that are in use: each for a minute at most, and one exchange for all who ask for the same at the same
 * time. Entries have the SHA-256 of the caller's token as their key.
 */
import { hash } from 'node:crypto';
import type { Clock } from '@mcp-oauth/shared/clock';
import { TransientMap } from '@mcp-oauth/shared/collections/transient';
import { type Queue, QueueFull } from '../authorization/introspection/queue.ts';
import type { Exchanged, ExchangeToken } from './exchange.ts';
import {
  type ExchangeOutcome,
  ExchangeUnavailable,
  InteractionRequired,
  outcomeOf,
  type UpstreamToken,
} from './upstream-token.ts';

interface TokensOptions {
  readonly exchange: ExchangeToken;
  readonly clock: Clock;
  /** How many exchanges run at the same time. */
  readonly queue: Queue;
  readonly onOutcome?: ((upstream: string, outcome: ExchangeOutcome) => void) | undefined;
  /** Maximum number of tokens; the oldest is removed. */
  readonly capacity?: number;
}

interface Entry {
  readonly found: UpstreamToken;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** Milliseconds: an account that the person disconnects is used for so long. */
const MAX_AGE = 60_000;

/** Milliseconds before its end in which a token is not handed out: its request takes a while. */
const LATE = 5_000;

const CAPACITY = 1_000;

export function createTokens({ exchange, clock, queue, onOutcome, capacity = CAPACITY }: TokensOptions): ExchangeToken {
  const entries = new Map<string, Entry>();
  const running = new TransientMap<string, Promise<UpstreamToken>>();

  /** A Map keeps the order of insertion, so the first is the oldest. */
  const removeOld = (now: number): void => {
    for (const [id, { until }] of entries) {
      if (until > now && entries.size <= capacity) return;
      entries.delete(id);
    }
  };
  const store = (id: string, found: UpstreamToken, { caller }: Exchanged): void => {
    const now = clock.now();
    const ends = [
      now + MAX_AGE,
      caller.principal.expiresAt * 1000,
      (found.expiresAt ?? Number.POSITIVE_INFINITY) - LATE,
    ];
    entries.delete(id);
    if (Math.min(...ends) > now) entries.set(id, { found, until: Math.min(...ends) });
    removeOld(now);
  };
  const begin = async (id: string, asked: Exchanged): Promise<UpstreamToken> => {
    try {
      const found = await queue.run(() => exchange(asked));
      onOutcome?.(asked.upstream.id, 'given');
      store(id, found, asked);
      return found;
    } catch (error) {
      onOutcome?.(asked.upstream.id, outcomeOf(error));
      throw error instanceof QueueFull ? new ExchangeUnavailable('too many exchanges wait for it') : error;
    }
  };

  return (asked) => {
    const { upstream, caller, rejected = '', wish } = asked;
    const id = hash('sha256', `${upstream.id} ${caller.token}`, 'base64');
    const entry = entries.get(id);
    if (entry && entry.until > clock.now() && entry.found.token !== rejected) return Promise.resolve(entry.found);
    // The answer to one that asks for a page is not for one that does not, and the other way round.
    const flight = [id, wish.kind, wish.page, rejected && hash('sha256', rejected, 'base64')].join(' ');
    const known = running.get(flight);
    if (known) return known.catch(forOthers);
    const exchanging = begin(id, asked).finally(() => running.delete(flight));
    running.set(flight, exchanging);
    return exchanging;
  };
}

/** The page is for the first one who asked: the person sees it once. */
function forOthers(error: unknown): never {
  if (!(error instanceof InteractionRequired) || error.uri === undefined) throw error;
  throw new InteractionRequired(error.uri, error.expiresIn, error.scope, true);
}
