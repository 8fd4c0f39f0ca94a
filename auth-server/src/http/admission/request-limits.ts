/**
 * Owns the limits per address for the protocol: requests that store a record before anybody is authenticated (RFC 9700 §4.16), also
 * by their size, and failed authentications of clients (RFC 6749 §10.10), which may be guessing.
 */

import type { Clock } from '@mcp-oauth/shared/clock';
import { BoundedMap } from '@mcp-oauth/shared/collections/bounded-map';
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { costOf } from '../request-size.ts';

export interface RequestLimits {
  /** Limits authorization requests from one address. */
  readonly authorization: RateLimit;
  /** Limits approvals on the sign-in page, and sign-ins to pages of this server, because each stores a login state. */
  readonly approval: RateLimit;
  /** Limits revocations, because each stores the used assertion of a client with keys, even for an unknown token. */
  readonly revocation: RateLimit;
  /** Limits refusals for one address at endpoints where clients authenticate. */
  readonly failure: RateLimit;
}

type Counted = keyof Omit<RequestLimits, 'failure'>;

/** In every spelling that the engine accepts, but without continued requests: `/authorize/:uid` needs its cookie. */
const COUNTED: readonly (readonly [path: RegExp, limit: Counted])[] = [
  [/^\/(authorize|par)\/?$/i, 'authorization'],
  [/^\/interaction\/[^/]+\/approve\/?$/i, 'approval'],
  [/^\/sign-in\/?$/i, 'approval'],
  [/^\/revoke\/?$/i, 'revocation'],
];
/** Endpoints where clients authenticate, and where an upstream does with a logout token. */
const CLIENTS = /^\/(token|par|revoke|device_authorization|backchannel-logout\/[^/]+)\/?$/i;
const MAX_ADDRESSES = 10_000;
/** The errors of an answer that says nothing about the caller: a device has to ask until its person has approved (RFC 8628 §3.5). A failed logout has it with 400 (Back-Channel Logout 1.0 §2.8). */
const NOT_THE_CALLER: ReadonlySet<unknown> = new Set(['temporarily_unavailable', 'authorization_pending']);

interface CountedFailures {
  isCounted(path: string): boolean;
  readonly statuses: readonly number[];
}

const FAILURES_OF_CLIENTS: CountedFailures = { isCounted: (path) => CLIENTS.test(path), statuses: [400, 401] };

const refusal = (wait: number): PageError =>
  new PageError(429, 'too_many_requests', said('tooManyRequests'), {
    reason: 'limit of the address',
    headers: { 'Retry-After': String(wait) },
  });

export function authorizationLimit(limits: RequestLimits): Middleware {
  return (ctx, next) => {
    const [, name] = COUNTED.find(([path]) => path.test(ctx.path)) ?? [];
    return name ? take(limits[name], ctx).then(next) : next();
  };
}

async function take(limit: RateLimit, ctx: Context): Promise<void> {
  const wait = await limit.take(stateOf(ctx).clientAddress, costOf(ctx.request));
  if (wait > 0) throw refusal(wait);
}

/**
 * Costs nothing as long as nothing fails: failures are counted in the shared store, and each process remembers the addresses over
 * the limit. A replica that does not know an address yet lets one more failure through.
 */
export function failureLimit(
  limit: RateLimit,
  clock: Clock,
  { isCounted, statuses }: CountedFailures = FAILURES_OF_CLIENTS,
): Middleware {
  const blocked = createBlocked(clock);
  return (ctx, next) => {
    if (!isCounted(ctx.path)) return next();
    const { clientAddress } = stateOf(ctx);
    const wait = blocked.waitOf(clientAddress);
    if (wait > 0) throw refusal(wait);
    const count = async (status: unknown, error: unknown): Promise<void> => {
      if (stateOf(ctx).hasProvedKey || NOT_THE_CALLER.has(error) || !statuses.includes(Number(status))) return;
      blocked.add(clientAddress, await limit.take(clientAddress));
    };
    return next().then(
      () => count(ctx.status, (ctx.body as { error?: unknown } | undefined)?.error),
      async (error) => {
        await count(error?.status, error?.code);
        throw error;
      },
    );
  };
}

/** The addresses over their limit that this process knows. */
function createBlocked(clock: Clock) {
  const until = new BoundedMap<string, number>(MAX_ADDRESSES);
  return {
    /** In seconds. */
    waitOf: (address: string): number => {
      const left = (until.get(address) ?? 0) - clock.now();
      if (left <= 0) until.delete(address);
      return Math.max(0, Math.ceil(left / 1000));
    },
    add: (address: string, wait: number): void => {
      if (wait > 0) until.set(address, clock.now() + wait * 1000);
    },
  };
}
