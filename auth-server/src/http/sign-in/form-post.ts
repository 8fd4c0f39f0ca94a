/**
 * Owns an answer of an upstream that comes as a form (OAuth 2.0 Form Post Response Mode §2; Apple has no other for name and
 * e-mail). The cookie of the sign-in is SameSite=Lax, so a browser does not send it with a form of another site, and that stays
 * so: with it, any site could post an answer of its own in somebody's name. The form is answered with 303 to the same callback
 * instead. That is a GET of the browser, which carries the cookie, and where state and cookie are checked as ever.
 */
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context } from 'koa';
import { seeOther } from './redirect.ts';

/** What an authorization response may have (RFC 6749 §4.1.2, RFC 9207 §2); `user` is Apple's. Tokens are not taken along. */
const PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'user'];

/** Bytes, which all have to go into a URL. */
const LIMIT = 8_192;

/** @returns what the form says */
export async function readFormPost(ctx: Context): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') === false) {
    throw new HttpError(415, 'invalid_request', 'An answer is a form (application/x-www-form-urlencoded).');
  }
  const sent = new URLSearchParams(await readBounded(ctx));
  return new URLSearchParams([...sent].filter(([name]) => PARAMETERS.includes(name)));
}

/** @param callback of the connector, without a query */
export const passOn = (ctx: Context, callback: string, answer: URLSearchParams): void =>
  seeOther(ctx, `${callback}?${answer}`);

async function readBounded({ req, request }: Context): Promise<string> {
  if ((request.length ?? 0) > LIMIT) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  try {
    // Without ending the connection: a client that is still sending would see it break, and no answer.
    for await (const part of req.iterator({ destroyOnReturn: false })) {
      size += part.length;
      if (size > LIMIT) throw tooLarge();
      parts.push(part);
    }
  } catch (cause) {
    if (cause instanceof HttpError) throw cause;
    const reason = 'the connection ended before the body did';
    throw new HttpError(400, 'invalid_request', 'The request could not be read.', { reason, cause });
  }
  return Buffer.concat(parts).toString('utf8');
}

const tooLarge = (): HttpError => new HttpError(413, 'invalid_request', 'The request body is too large.');
