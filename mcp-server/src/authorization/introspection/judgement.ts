/**
 * Owns the judgement of an introspection answer (RFC 7662 §2.2): its members are claims, of which the same is demanded as of those of
 * a JWT of the same issuer. A pure function.
 */
import { type JWTPayload, UnsecuredJWT } from 'jose';
import { shown, whoIn } from '../finding.ts';
import type { Principal } from '../principal.ts';
import { claimChecks } from '../token/claim-checks.ts';
import { principalOf } from '../token/principal-of.ts';
import type { TokenRules } from '../token/rules.ts';
import { TokenError, type TokenReason, toTokenError } from '../token-error.ts';

/** The members of an answer about a token that is active. */
export type Claims = Readonly<Record<string, unknown>>;

/** RFC 6749 §7.1, RFC 9449 §5; `access_token` is what older products write. */
const TOKEN_TYPES = new Set(['bearer', 'dpop', 'access_token']);

/** Where products say that a token is a refresh token or an ID token: Ory and Cognito, Keycloak. */
const KINDS = ['token_use', 'typ'] as const;
const OTHER_KIND = /^(refresh|offline|id|logout)/i;

/**
 * @param all the rules of the issuer that was asked, one for each `iss`
 * @param now seconds since the epoch
 * @throws TokenError
 */
export function judge(given: Claims, all: readonly TokenRules[], now: number): Principal {
  const answer = withoutNulls(given);
  const rules = rulesFor(answer, all);
  requireAccessToken(answer, rules);
  return principalOf(timely(answer, rules, now), rules, { isTyped: false, now });
}

/** The answer need not name the issuer: only this one was asked. */
function rulesFor(answer: Claims, all: readonly TokenRules[]): TokenRules {
  const { iss } = answer;
  const found = iss === undefined && all.length === 1 ? all[0] : all.find(({ issuer }) => issuer === iss);
  if (found) return found;
  const expected = all.length === 1 ? all[0]?.issuer : all.map(({ issuer }) => issuer);
  throw new TokenError('wrong_issuer', {
    claim: 'iss',
    expected,
    found: shown(iss),
    setting: all[0]?.variable('ISSUER') ?? 'ISSUER',
    ...whoIn(answer),
  });
}

/**
 * RFC 7662 §2.1: an issuer answers about refresh tokens too, and `token_type` is optional. Where another claim stands for the audience
 * it is needed: the refresh token of a client has the same claims as its access token.
 */
function requireAccessToken(answer: Claims, { audienceClaim }: TokenRules): void {
  const { token_type: type, aud, cnf } = answer;
  const refuse = (reason: TokenReason, claim: string, expected: string): never => {
    throw new TokenError(reason, { claim, expected, found: shown(answer[claim]), ...whoIn(answer) });
  };
  const other = KINDS.find((name) => OTHER_KIND.test(String(answer[name])));
  if (other !== undefined) refuse('not_an_access_token', other, 'an access token');
  const name = String(type).toLowerCase();
  const isAccessToken = type === undefined ? aud !== undefined || !audienceClaim : TOKEN_TYPES.has(name);
  if (!isAccessToken) refuse('not_an_access_token', 'token_type', 'Bearer or DPoP');
  if (name === 'dpop' && cnf === undefined) refuse('sender_constrained', 'cnf', 'jkt, as token_type is DPoP');
}

/** Some products write null for a member that they have no value for. */
const withoutNulls = (answer: Claims): Claims =>
  Object.fromEntries(Object.entries(answer).filter(([, value]) => value !== null));

/** jose checks the times only of a JWT; the claims become one, so that there is one check of times for both kinds of tokens. */
function timely(answer: Claims, rules: TokenRules, now: number): JWTPayload {
  const jwt = new UnsecuredJWT(answer as JWTPayload).encode();
  try {
    return UnsecuredJWT.decode(jwt, claimChecks(rules, now)).payload;
  } catch (error) {
    throw toTokenError(error, jwt, { rules, now });
  }
}
