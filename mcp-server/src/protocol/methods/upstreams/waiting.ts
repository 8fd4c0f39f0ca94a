/**
 * Owns the wait of a call for a person who connects an account: how often the authorization server is asked what came of its page, how
 * long at most, and the errors with which the wait ends.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type { Wish } from '../../../upstream/exchange.ts';
import {
  ExchangeRefused,
  ExchangeUnavailable,
  InteractionRequired,
  type UpstreamToken,
} from '../../../upstream/upstream-token.ts';
import type { Call } from '../../call.ts';
import { ToolError } from '../../define.ts';
import { endOfCall } from './running.ts';

export interface WaitingDependencies {
  readonly clock: Clock;
  /** Waits for so many milliseconds. @throws when the signal is aborted */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
  /** Whether this server is about to stop: a round ends then, and the next one comes to another replica. */
  readonly isStopping: () => boolean;
}

/** What a call waits for. */
export interface Awaited {
  readonly call: Call;
  /** Name of the upstream. */
  readonly name: string;
  /** Names the question: a token that was refused asks for another one than an account that was never connected. */
  readonly key: string;
  /** Tries again. @throws InteractionRequired or ExchangeUnavailable while there is no token */
  readonly exchange: (wish: Wish) => Promise<UpstreamToken>;
}

/** Milliseconds since the epoch. */
export interface Deadline {
  readonly until: number;
  readonly endOfRound: number;
}

/** Milliseconds between two attempts. */
const PACE = 2_000;

/** Milliseconds that one request waits where the client sends it again: less than clients wait for an answer. */
const ROUND = 40_000;

/** How many rounds wait at most. The clients of the SDKs end a request after ten, with an error that says nothing about the account. */
const ROUNDS = 8;

/** @param lasts milliseconds for which the page can be opened */
export function deadlineOf({ call: { rounds, principal }, key }: Awaited, lasts: number, now: number): Deadline {
  const note = `${key}.until`;
  const noted = rounds?.known(note);
  // With the access token of the request ends what it can be exchanged for. The next round may have another one.
  const endOfToken = principal.expiresAt * 1000;
  const last = now + Math.min(lasts, rounds ? ROUNDS * ROUND : endOfToken - now);
  // A client could have written the note itself.
  const until = typeof noted === 'number' ? Math.min(noted, last) : last;
  rounds?.note(note, until);
  return { until, endOfRound: Math.min(now + ROUND, endOfToken) };
}

/**
 * Asks what came of a page until there is a token.
 * @param wish of kind `page`: another call shows its page, and this one shows it if that one has gone
 * @returns the token, or the page that this call has to show now
 * @throws ToolError when the person has declined, or the page has expired
 */
export async function waitFor(
  { call, name, key, exchange }: Awaited,
  wish: Wish,
  { until, endOfRound }: Deadline,
  { clock, pause, isStopping }: WaitingDependencies,
  signal: AbortSignal = endOfCall(call),
): Promise<UpstreamToken | InteractionRequired> {
  const { rounds } = call;
  let { page } = wish;
  while (clock.now() < until) {
    try {
      return await exchange({ ...wish, page });
    } catch (error) {
      if (error instanceof InteractionRequired) {
        if (wish.kind === 'page' && !error.isShown) return error;
        page = error.uri ?? page;
        notePage(call, key, page);
      }
      // The person may still be at it while the issuer is away for a moment.
      else if (!(error instanceof ExchangeUnavailable)) throw endOfPage(error, name) ?? error;
    }
    await pause(PACE, signal);
    if (rounds && (clock.now() >= endOfRound || isStopping())) await rounds.again();
  }
  throw new ToolError(`${name} was not connected in time. Call again to get a new page.`);
}

/** A moment in which nobody is asked. */
export const moment = ({ pause }: WaitingDependencies, signal: AbortSignal): Promise<unknown> => pause(PACE, signal);

/** What the issuer answers to a call whose page leads to no account any more (RFC 8628 §3.5 has the codes). */
export function endOfPage(error: unknown, name: string): ToolError | undefined {
  if (!(error instanceof ExchangeRefused)) return undefined;
  if (error.reason === 'access_denied') return declined(name);
  if (error.reason !== 'expired_token') return undefined;
  return new ToolError(`${name} was not connected: the page is used up. Call again to get a new page.`);
}

export const declined = (name: string): ToolError => new ToolError(`The user declined to connect ${name}.`);

/** The page of an earlier round. Its issuer checks whose it is. */
export function pageOf({ rounds }: Call, key: string): string | undefined {
  const noted = rounds?.known(`${key}.page`);
  return typeof noted === 'string' && noted.length <= 2_048 ? noted : undefined;
}

export const notePage = ({ rounds }: Call, key: string, page: string | undefined): void => {
  if (page !== undefined) rounds?.note(`${key}.page`, page);
};
