/** Owns what stands before open registration (RFC 7591 §5): any web page may register, but nobody without limit. */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';
import type { RateLimit } from '../storage/rate-limit.ts';

/** In every spelling that reaches the engine: its router looks at neither case nor a last slash. */
const PATH = /^\/register\/?$/i;
const HOUR = 3_600;

/** The engine has no CORS here; no cookie or secret is involved, so every origin may. */
export function registrationCors(): Middleware {
  return async (ctx, next) => {
    if (!PATH.test(ctx.path)) return next();
    ctx.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Expose-Headers': 'Retry-After' });
    if (ctx.method !== 'OPTIONS') return next();
    ctx.set({
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': ctx.get('Access-Control-Request-Headers') || 'Content-Type',
      'Access-Control-Max-Age': String(HOUR),
    });
    ctx.status = 204;
  };
}

/** @param limit of registrations from one address */
export function registrationLimit(limit: RateLimit): Middleware {
  return async (ctx, next) => {
    if (PATH.test(ctx.path) && ctx.method === 'POST') refuseWhile(await limit.take(ctx.state.clientAddress));
    await next();
  };
}

function refuseWhile(wait: number): void {
  if (wait === 0) return;
  throw new HttpError(429, 'too_many_requests', 'Too many registrations from your address. Try again later.', {
    headers: { 'Retry-After': String(wait) },
  });
}
