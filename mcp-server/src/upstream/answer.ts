/**
 * Owns the reading of what the token endpoint answers to an exchange (RFC 8693 §2.2): a token that may be used, or why there is none.
 * Pure functions, which repeat nothing of an answer but an error code.
 */
import { INTERACTION, TOO_MANY_PAGES } from '@mcp-oauth/shared/contract';
import { isObject } from '@mcp-oauth/shared/json';
import {
  ExchangeLimited,
  ExchangeRefused,
  ExchangeUnavailable,
  InteractionRequired,
  type UpstreamToken,
} from './upstream-token.ts';

export const ACCESS_TOKEN_URN = 'urn:ietf:params:oauth:token-type:access_token';
const JWT_URN = 'urn:ietf:params:oauth:token-type:jwt';

/** RFC 6749 Appendix A.12: a token without white space, which would be another header field in a request. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

/** RFC 6749 Appendix A.7 */
const ERROR_CODE = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** Seconds of the page for the person, if the issuer does not say. */
const PAGE_LASTS = 600;

export interface Expected {
  /** Whether the token of the caller is bound to a key: then one for another MCP server must be bound too. */
  readonly mustBeBound: boolean;
  /** Whether the request had a proof of the key of this server. */
  readonly isProven: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** @throws ExchangeRefused for a token that must not be used */
export function tokenIn(answer: unknown, { mustBeBound, isProven, now }: Expected): UpstreamToken {
  if (!isObject(answer)) throw new ExchangeRefused('its answer is no JSON object');
  const { access_token: token, token_type: type, issued_token_type: issued, expires_in: lasts, scope } = answer;
  if (typeof token !== 'string' || !TOKEN.test(token)) throw new ExchangeRefused('its answer has no access_token');
  if (issued !== ACCESS_TOKEN_URN && issued !== JWT_URN) {
    throw new ExchangeRefused('issued_token_type of its answer is not that of an access token');
  }
  const kind = typeof type === 'string' ? type.toLowerCase() : '';
  if (kind !== 'bearer' && kind !== 'dpop') throw new ExchangeRefused('token_type of its answer is not Bearer or DPoP');
  if (kind === 'bearer' && mustBeBound) throw new ExchangeRefused('it answered a bearer token for a bound one');
  if (kind === 'dpop' && !isProven) throw new ExchangeRefused('it answered a token that is bound to another key');
  return {
    token,
    type: kind === 'dpop' ? 'DPoP' : 'Bearer',
    scopes: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : undefined,
    expiresAt: typeof lasts === 'number' && Number.isFinite(lasts) && lasts >= 0 ? now + lasts * 1000 : undefined,
  };
}

export interface Failed {
  readonly status: number;
  readonly body: unknown;
  /** The header of that name; absent: there is none. */
  readonly retryAfter: string | undefined;
}

/** @param isSecure whether the issuer uses TLS, so that its pages must too */
export function failureIn({ status, body: answer, retryAfter }: Failed, isSecure: boolean): Error {
  const { error, ...more } = isObject(answer) ? answer : {};
  const code = typeof error === 'string' && ERROR_CODE.test(error) ? error : undefined;
  if (code === 'interaction_required') {
    const { [INTERACTION.expiresIn]: lasts, [INTERACTION.scope]: scope, [INTERACTION.isShown]: isShown } = more;
    const page = pageIn(more[INTERACTION.uri], isSecure);
    const seconds = typeof lasts === 'number' && lasts > 0 ? Math.min(lasts, PAGE_LASTS) : PAGE_LASTS;
    const named = typeof scope === 'string' ? scope : undefined;
    return new InteractionRequired(page, seconds, named, page !== undefined && isShown === true);
  }
  if (status === 429) {
    // RFC 9110 §10.2.3: it may be a date as well.
    const wait = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
    return new ExchangeLimited(code === TOO_MANY_PAGES, wait);
  }
  if (status >= 500 || code === 'temporarily_unavailable' || code === 'server_error') {
    return new ExchangeUnavailable(`it answered ${status}`);
  }
  return new ExchangeRefused(code ?? `it answered ${status}`);
}

/** A page that a browser may be sent to. */
function pageIn(uri: unknown, isSecure: boolean): string | undefined {
  const url = typeof uri === 'string' && uri.length <= 2_048 ? URL.parse(uri) : null;
  if (!url || url.username || url.password) return undefined;
  return url.protocol === 'https:' || (url.protocol === 'http:' && !isSecure) ? url.href : undefined;
}
