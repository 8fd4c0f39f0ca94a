/** Owns how large a request may be: nothing in OAuth needs more than a few kilobytes. */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Middleware } from 'koa';

const LIMIT = 56 * 1024;

/** Refuses by the announced length (RFC 9110 §15.5.14); a body that announces none is cut at the same size by its reader. */
export function bodyLimit(): Middleware {
  return (ctx, next) => {
    if ((ctx.request.length ?? 0) > LIMIT) {
      // The connection stays open: a client that is still sending would otherwise see it break and no answer.
      throw new HttpError(413, 'invalid_request', 'The request body is too large.');
    }
    return next();
  };
}
