/**
 * Owns how much of the protocol one address may use up: requests that leave a record behind before anybody is known (RFC 9700
 * §4.16), and failures of who claims to be a client (RFC 6749 §10.10), which is what guessing looks like.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';
import type { RateLimit } from '../../storage/rate-limit.ts';

export interface RequestLimits {
  /** Of authorization requests from one address. */
  readonly authorization: RateLimit;
  /** Of refusals for one address where clients authenticate. */
  readonly failure: RateLimit;
}

/** In every spelling that reaches the engine, but not a request that goes on: `/authorize/:uid` needs its cookie. */
const STARTS = /^\/(authorize|par)\/?$/i;
/** Where clients authenticate. */
const CLIENTS = /^\/(token|par|revoke)\/?$/i;
const MAX_ADDRESSES = 10_000;

const refusal = (wait: number): HttpError =>
  new HttpError(429, 'too_many_requests', 'Too many requests from your address. Try again in a moment.', {
    reason: 'limit of the address',
    headers: { 'Retry-After': String(wait) },
  });

export function authorizationLimit(limit: RateLimit): Middleware {
  return async (ctx, next) => {
    if (STARTS.test(ctx.path) && ctx.method !== 'OPTIONS') {
      const wait = await limit.take(ctx.state.clientAddress);
      if (wait > 0) throw refusal(wait);
    }
    await next();
  };
}

/**
 * Costs nothing where nothing fails: a failure is counted where all replicas count, and what is over the limit is remembered
 * here. A replica that has not heard of it yet lets one more failure through.
 */
export function failureLimit(limit: RateLimit, clock: Clock): Middleware {
  const blocked = new Map<string, number>();
  const waitOf = (address: string): number => {
    const wait = Math.ceil(((blocked.get(address) ?? 0) - clock.now()) / 1000);
    if (wait <= 0) blocked.delete(address);
    return Math.max(0, wait);
  };
  const block = (address: string, wait: number): void => {
    // A map keeps its order, so the first is the oldest.
    const [oldest] = blocked.keys();
    if (blocked.size >= MAX_ADDRESSES && oldest !== undefined) blocked.delete(oldest);
    blocked.set(address, clock.now() + wait * 1000);
  };
  return async (ctx, next) => {
    if (!CLIENTS.test(ctx.path) || ctx.method !== 'POST') return next();
    const { clientAddress } = ctx.state;
    const known = waitOf(clientAddress);
    if (known > 0) throw refusal(known);
    await next();
    if (ctx.status !== 400 && ctx.status !== 401) return;
    const wait = await limit.take(clientAddress);
    if (wait > 0) block(clientAddress, wait);
  };
}
