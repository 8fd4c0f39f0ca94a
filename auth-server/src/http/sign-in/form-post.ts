/**
 * Owns an answer of an upstream that comes as a form (OAuth 2.0 Form Post Response Mode §2; Apple requires it for name and e-mail).
 * The cookie of the sign-in is SameSite=Lax, so a browser does not send it with a form of another site. This is intended: otherwise
 * any site could post an answer for somebody else. So the form is answered with 303 to the same callback. The browser then sends a
 * GET with the cookie, and state and cookie are checked as usual.
 */
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context } from 'koa';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import { seeOther } from './redirect.ts';

/** The parameters of an authorization response (RFC 6749 §4.1.2, RFC 9207 §2); `user` is Apple's. Tokens are dropped. */
const PARAMETERS = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'user'];

/** Maximum bytes: all of them must fit into a URL. */
const LIMIT = 8_192;

/** @returns the known parameters of the form */
export async function readFormPost(ctx: Context): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') === false) {
    throw new PageError(415, 'invalid_request', said('notAForm'));
  }
  const sent = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8'));
  return new URLSearchParams([...sent].filter(([name]) => PARAMETERS.includes(name)));
}

/** @param callback of the connector, without a query */
export const redirectToCallback = (ctx: Context, callback: string, answer: URLSearchParams): void =>
  seeOther(ctx, `${callback}?${answer}`);
