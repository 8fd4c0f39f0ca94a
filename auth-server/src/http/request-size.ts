/**
 * Owns how large a request may be, and what a large one counts where requests are limited: what a stranger sends is kept for a
 * while, so the limits bound bytes as well as requests (RFC 9700 §4.16, RFC 7591 §5).
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware, Request } from 'koa';

const KIB = 1_024;
/** Nothing in OAuth needs more than a few kilobytes. */
const LIMIT = 56 * KIB;
/** The most that is kept of one request (provider/parameter-size.ts): of a registration, and of an authorization request. */
const [KEPT, PUSHED] = [16 * KIB, 8 * KIB];

/** Refuses by the announced length (RFC 9110 §15.5.14); a body that announces none is cut by its reader. */
export function bodyLimit(): Middleware {
  return (ctx, next) => {
    if ((ctx.request.length ?? 0) > LIMIT) {
      // The connection stays open: a client that is still sending would otherwise see it break and no answer.
      throw new HttpError(413, 'invalid_request', 'The request body is too large.');
    }
    return next();
  };
}

/**
 * One for each KiB that is begun. A body that announces no length counts as the most that is kept of any, and a pushed request is
 * kept once more by whoever refers to it.
 */
export function costOf({ length, querystring, headers, query }: Request): number {
  const isUnknown = length === undefined && headers['transfer-encoding'] !== undefined;
  const body = isUnknown ? KEPT : (length ?? 0);
  const pushed = query.request_uri === undefined ? 0 : PUSHED;
  return Math.max(1, Math.ceil(Math.max(body, querystring.length, pushed) / KIB));
}
