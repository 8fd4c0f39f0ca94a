/**
 * Owns the decision what the claims of a verified token say: for whom, by whom, through which client, with which scopes (RFC 9068 §4,
 * for tokens of any issuer by its rules). A pure function: the signature and the times were checked before.
 */
import { valueAt } from '@mcp-oauth/shared/claim-path';
import { isObject } from '@mcp-oauth/shared/json';
import type { JWTPayload } from 'jose';
import { type Finding, shown, shownTime, whoIn } from '../finding.ts';
import { personClaimsOf } from '../person-claims.ts';
import type { Principal } from '../principal.ts';
import { statusOf } from '../status/reference.ts';
import { TokenError, type TokenReason } from '../token-error.ts';
import { actorsIn } from './actors.ts';
import { isKept, isScopeList, valuesAt } from './claim-rule.ts';
import type { TokenRules } from './rules.ts';
import { mapped, withoutPrefix } from './scope-map.ts';

/** OpenID Connect Core §3.1.3.6, §3.3.2.11; RFC 8417 §2.2: claims that no access token has. */
const OF_OTHER_TOKENS = ['at_hash', 'c_hash', 'events'];

/**
 * @param isTyped whether the header says that this is an access token (RFC 9068 §2.1)
 * @param keyId of the key that signed it
 * @param now seconds since the epoch
 * @throws TokenError
 */
export function principalOf(claims: JWTPayload, rules: TokenRules, { isTyped, now, keyId }: Facts): Principal {
  const refuse: Refuse = (reason, finding) => {
    throw new TokenError(reason, { ...finding, ...whoIn(claims) });
  };
  if (!isTyped) refuseOtherTokens(claims, refuse);
  requireAudience(claims, rules, refuse);
  for (const rule of rules.requiredClaims) {
    if (isKept(claims, rule)) continue;
    const found = shown(valueAt(claims, rule.path));
    refuse('wrong_claim', {
      claim: rule.path,
      expected: rule.values,
      found,
      setting: rules.variable('TOKEN_REQUIRED_CLAIMS'),
    });
  }
  const subject = nameAt(claims, rules.subjectClaims, rules.variable('TOKEN_SUBJECT_CLAIMS'), refuse);
  const clientId =
    rules.clientClaims.length === 0
      ? undefined
      : nameAt(claims, rules.clientClaims, rules.variable('TOKEN_CLIENT_CLAIMS'), refuse);
  const { exp, iat, cnf } = claims;
  if (exp === undefined || exp > LAST_TIME) {
    return refuse('missing_claim', { claim: 'exp', expected: 'a time in seconds', found: shown(exp) });
  }
  if (iat !== undefined && iat > now + rules.clockTolerance) {
    const expected = `before ${shownTime(now + rules.clockTolerance)}`;
    const setting = rules.variable('CLOCK_TOLERANCE');
    refuse('not_yet_valid', { claim: 'iat', expected, found: shownTime(iat), setting });
  }
  const keyThumbprint = cnf === undefined ? undefined : thumbprintOf(cnf, refuse);
  const status = statusOf(claims, rules, now, refuse);
  const actors = actorsIn(claims.act);
  return Object.freeze({
    issuer: rules.issuer,
    subject,
    clientId,
    scopes: scopesOf(claims, rules),
    expiresAt: exp,
    claims: personClaimsOf(claims),
    ...(keyThumbprint !== undefined && { keyThumbprint }),
    ...(keyId !== undefined && { keyId }),
    ...(status && { status }),
    ...(actors.length > 0 && { actors }),
  });
}

/**
 * The end of the year 9999 (RFC 3339 §1). A later one means milliseconds or "never": such a token would not expire, and is refused like
 * one without `exp`.
 */
const LAST_TIME = 253_402_300_799;

interface Facts {
  readonly isTyped: boolean;
  readonly keyId?: string | undefined;
  readonly now: number;
}

type Refuse = (reason: TokenReason, finding: Finding) => never;

/** An ID token of an issuer that types all tokens alike may have our audience, and it is in the hands of every client. */
function refuseOtherTokens(claims: JWTPayload, refuse: Refuse): void {
  const claim = OF_OTHER_TOKENS.find((name) => claims[name] !== undefined);
  if (claim !== undefined) refuse('not_an_access_token', { claim, expected: 'nothing', found: shown(claims[claim]) });
}

function requireAudience(claims: JWTPayload, rules: TokenRules, refuse: Refuse): void {
  const { audiences, audienceClaim } = rules;
  const { aud } = claims as { readonly aud?: unknown };
  if (aud !== undefined && aud !== null) {
    if ([aud].flat().some((one) => typeof one === 'string' && audiences.includes(one))) return;
    const setting = rules.variable('AUDIENCES');
    refuse('wrong_audience', { claim: 'aud', expected: audiences, found: shown(aud), setting });
  }
  if (!audienceClaim) {
    const setting = `${rules.variable('AUDIENCES')}, ${rules.variable('AUDIENCE_CLAIM')}`;
    refuse('no_audience', { claim: 'aud', expected: audiences, found: shown(aud), setting });
  }
  if (isKept(claims, audienceClaim)) return;
  refuse('wrong_audience', {
    claim: audienceClaim.path,
    expected: audienceClaim.values,
    found: shown(valueAt(claims, audienceClaim.path)),
    setting: rules.variable('AUDIENCE_CLAIM'),
  });
}

function nameAt(claims: JWTPayload, paths: readonly string[], setting: string, refuse: Refuse): string {
  for (const path of paths) {
    const value = valueAt(claims, path);
    if (value === undefined || value === null) continue;
    if (isName(value)) return value;
    return refuse('missing_claim', { claim: path, expected: 'a non-empty string', found: shown(value), setting });
  }
  const expected = `a non-empty string in ${paths.join(' or ')}`;
  return refuse('missing_claim', { claim: paths[0] ?? 'sub', expected, found: 'nothing', setting });
}

/** Half of a surrogate pair would be written as U+FFFD, and two people would get the same name. */
const isName = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.isWellFormed();

/**
 * With a map, a value of another claim than `scope` and `scp` counts only if the map names it: others may choose the values of such a
 * claim, as the name of an environment.
 */
function scopesOf(claims: JWTPayload, { scopeClaims, scopePrefixes, scopeMap }: TokenRules): ReadonlySet<string> {
  const scopes = new Set<string>();
  for (const path of scopeClaims) {
    for (const value of scopeValuesAt(claims, path, scopeMap.length > 0)) {
      const name = withoutPrefix(value, scopePrefixes);
      const ours = mapped(name, scopeMap);
      for (const scope of ours) scopes.add(scope);
      if (ours.length === 0 && isName(name) && (scopeMap.length === 0 || isScopeList(path))) scopes.add(name);
    }
  }
  return scopes;
}

/**
 * A text is several values with spaces between them; an object has its values as names of its members, as roles of ZITADEL. With a map
 * a text of another claim than `scope` and `scp` is one value: a name that others choose, such as `not prod`, must not become `prod`.
 * An empty text is no value, though `*` of a map fits it, and neither is a member that is false or null.
 */
function scopeValuesAt(claims: JWTPayload, path: string, isMapped: boolean): readonly string[] {
  const value = valueAt(claims, path);
  if (isObject(value)) return Object.keys(value).filter((name) => value[name] !== false && value[name] !== null);
  const isList = typeof value === 'string' && (!isMapped || isScopeList(path));
  return (isList ? value.split(' ') : valuesAt(claims, path)).filter((one) => one.trim() !== '');
}

/**
 * RFC 9449 §6.1. A token that is also bound in another way, such as RFC 8705 §3, would need a check that does not
 * exist here.
 */
function thumbprintOf(cnf: unknown, refuse: Refuse): string {
  const { jkt, ...others } = Object(cnf);
  if (isName(jkt) && Object.keys(others).length === 0) return jkt;
  return refuse('sender_constrained', { claim: 'cnf', expected: 'only jkt', found: shown(cnf) });
}
