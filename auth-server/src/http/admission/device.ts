/**
 * Owns who may ask for device codes and enter them (RFC 8628 §5.1, §5.2): so many from one address, and so many in all that a code
 * cannot be guessed while it is valid. Every entry is counted, right or wrong, before anybody looks for the code.
 */
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { costOf } from '../request-size.ts';
import { refuseOtherSites } from '../sign-in/same-site.ts';

export interface DeviceLimits {
  /** Limits the codes for one address. */
  readonly codes: RateLimit;
  /** Limits requests to the page from one address. */
  readonly page: RateLimit;
  /** Limits entries from all addresses together. */
  readonly entry: RateLimit;
}

export interface DeviceAdmission {
  readonly issuer: string;
  readonly limits: DeviceLimits;
}

/** In every spelling that the engine accepts. */
const CODES = /^\/device_authorization\/?$/i;
const PAGE = /^\/device\/?$/i;
const ALL = 'all';

export function deviceAdmission({ issuer, limits }: DeviceAdmission): Middleware {
  return async (ctx, next) => {
    if (CODES.test(ctx.path)) await take(limits.codes, stateOf(ctx).clientAddress, costOf(ctx.request));
    if (!PAGE.test(ctx.path)) return next();
    await take(limits.page, stateOf(ctx).clientAddress);
    if (ctx.method === 'POST') {
      refuseOtherSites(ctx, issuer);
      await take(limits.entry, ALL);
    }
    keepCode(ctx);
    return next();
  };
}

/**
 * RFC 8628 §3.3.1: a link may have the code in it. The engine would send it on at once, by a script; here it only fills the field, and
 * the person compares it with the device.
 */
function keepCode(ctx: Context): void {
  const code = ctx.query.user_code;
  if (typeof code === 'string') stateOf(ctx).userCode = code;
  ctx.querystring = '';
}

async function take(limit: RateLimit, key: string, cost = 1): Promise<void> {
  const wait = await limit.take(key, cost);
  if (wait === 0) return;
  throw new PageError(429, 'too_many_requests', said('tooManyRequests'), {
    reason: key === ALL ? 'limit of all addresses' : 'limit of the address',
    headers: { 'Retry-After': String(wait) },
  });
}
