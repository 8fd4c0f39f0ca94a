/**
 * Owns the validation of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). Anybody may send one, so it is accepted only
 * with the members that make it a logout token. With a copy of the keys, it makes this server ask the provider for new ones five times
 * a minute at most. Without a copy, concurrent tokens share one request.
 */

import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { isObject } from '@mcp-oauth/shared/json';
import type { LogoutToken } from '../../../federation/connector.ts';
import type { Remembered } from '../../../federation/upstream/remembered.ts';
import type { Claims } from '../claims.ts';
import { type Expectation, isTime, judgeNotBefore, SKEW } from '../id-token.ts';
import { refusing, shown, verified } from '../signature.ts';

/** The member of `events` that makes a JWT a logout token (§2.4). */
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Seconds that a logout token may be old. */
const OLDEST = 120;
/**
 * Accepted values of the header parameter `typ`, in lower case. §2.4 recommends `logout+jwt` and does not require it, and older
 * providers send `JWT` or nothing. A JWT of another use has another type, or lacks `events`, or has a `nonce` (§4.1).
 */
const TYPES: readonly unknown[] = ['logout+jwt', 'application/logout+jwt', 'jwt', undefined];
const LONGEST = 255;
/** Requests for the keys of the provider that are possible at once, and the milliseconds after which one more is. */
const RENEWALS = 5;
const REFILL = 12_000;

export type LogoutExpectation = Omit<Expectation, 'nonce'>;

const refuse = refusing('logout token');

/** @throws UpstreamError */
export async function readLogoutToken(token: string, expected: LogoutExpectation): Promise<LogoutToken> {
  const { header, claims } = await verified(token, 'logout token', expected);
  const { typ } = header;
  if (!TYPES.includes(typeof typ === 'string' ? typ.toLowerCase() : typ)) {
    refuse('typ', 'typ is of another kind of JWT', { expected: 'logout+jwt', found: shown(typ) });
  }
  const { iss, aud, events } = claims;
  const issuer = expected.issuerOf?.(claims, expected.issuer) ?? expected.issuer;
  if (iss !== issuer) refuse('iss', 'iss is not the issuer', { expected: issuer, found: shown(iss) });
  if (![aud].flat().includes(expected.clientId)) {
    refuse('aud', 'aud does not name this client', { expected: expected.clientId, found: shown(aud) });
  }
  judgeTimes(claims, seconds(expected.clock));
  if (!isObject(events) || !Object.hasOwn(events, EVENT) || !isObject(events[EVENT])) {
    refuse('events', 'events has no logout', { expected: EVENT, found: shown(events) });
  }
  // §2.4: an id token has one, and must not be accepted here.
  if (Object.hasOwn(claims, 'nonce')) refuse('nonce', 'it has a nonce', { expected: 'nothing', found: 'a value' });
  const [subject, sid] = [textOf('sub', claims), textOf('sid', claims)];
  if (subject === undefined && sid === undefined) {
    refuse('sub', 'it names neither a person nor a session', { expected: 'sub or sid', found: 'nothing' });
  }
  return { issuer, subject, sid, jti: textOf('jti', claims) ?? refuse('jti', 'jti is missing') };
}

/**
 * §2.4 demands `exp`, which drafts of the specification did not have. LemonLDAP::NG and Glewlwyd follow those. The age of a token is
 * limited by `iat` in any case.
 */
function judgeTimes({ iat, exp, nbf }: Readonly<Record<string, unknown>>, now: number): void {
  if (!isTime(iat)) refuse('iat', 'iat is not a time', { expected: 'a number', found: shown(iat) });
  else if (iat < now - OLDEST) refuse('iat', 'iat is too old', { expected: `since ${now - OLDEST}`, found: iat });
  else if (iat > now + SKEW) refuse('iat', 'iat is in the future', { expected: `by ${now + SKEW}`, found: iat });
  judgeNotBefore(nbf, now, refuse);
  if (exp === undefined) return;
  if (!isTime(exp)) refuse('exp', 'exp is not a time', { expected: 'a number', found: shown(exp) });
  else if (exp <= now - SKEW) refuse('exp', 'exp is in the past', { expected: `later than ${now - SKEW}`, found: exp });
}

/** @returns `undefined` if the claim is absent */
function textOf(name: string, claims: Readonly<Record<string, unknown>>): string | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST) return value;
  return refuse(name, `${name} is not a text of 1 to ${LONGEST} characters`, { found: shown(value) });
}

/** The session of the person at the provider that an id token names. A longer one is not kept: no logout token names it either. */
export const sidOf = ({ sid }: Claims): string | undefined =>
  typeof sid === 'string' && sid !== '' && sid.length <= LONGEST ? sid : undefined;

/**
 * The same keys, which an unknown `kid` or a bad signature renews rarely: a stranger can send both. A token that comes too early is
 * refused, so that it counts as a failure of its sender: otherwise nothing would limit the signatures that a stranger makes us check.
 */
export function renewedRarely<T>(keys: Remembered<T>, clock: Clock): Remembered<T> {
  let left = RENEWALS;
  let since = clock.now();
  return {
    get: keys.get,
    renew: async () => {
      left = Math.min(RENEWALS, left + Math.max(0, clock.now() - since) / REFILL);
      since = clock.now();
      if (left < 1) return refuse('kid', 'no known key matches its signature, and new keys were asked for too often');
      left -= 1;
      return keys.renew();
    },
  };
}
