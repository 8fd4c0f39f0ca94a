/**
 * Owns how large a request may be, and how many requests a large one counts as: requests of unknown callers are stored for a while,
 * so the limits bound bytes as well as requests (RFC 9700 §4.16, RFC 7591 §5).
 */
import { tooLarge } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Middleware, Request } from 'koa';

const KIB = 1_024;
/** OAuth requests have a few kilobytes. */
const LIMIT = 56 * KIB;
/** Maximum bytes that are stored of one request (provider/parameter-size.ts): of a registration, and of an authorization request. */
const [KEPT, PUSHED] = [16 * KIB, 8 * KIB];

/** Refuses by the announced length (RFC 9110 §15.5.14). The reader of a body without a length enforces its own limit. */
export function bodyLimit(): Middleware {
  return (ctx, next) => {
    if ((ctx.request.length ?? 0) > LIMIT) throw tooLarge();
    return next();
  };
}

/**
 * Reads and drops what is left of a body in chunks after its answer. Node.js does so only for a body that nobody began to read, and the
 * next request on the connection would wait for the end of this one (RFC 9112 §9.3).
 */
export function dropRest(): Middleware {
  return ({ req, res }, next) => {
    if (req.headers['transfer-encoding'] !== undefined) res.once('finish', () => req.resume());
    return next();
  };
}

/**
 * One per started KiB. A body without a length counts as the largest one that is stored. A request with `request_uri` counts as the
 * largest pushed request, because the pushed parameters are stored again with its interaction.
 */
export function costOf({ length, querystring, headers, query }: Request): number {
  const isUnknown = length === undefined && headers['transfer-encoding'] !== undefined;
  const body = isUnknown ? KEPT : (length ?? 0);
  const pushed = query.request_uri === undefined ? 0 : PUSHED;
  return Math.max(1, Math.ceil(Math.max(body, querystring.length, pushed) / KIB));
}
