/**
 * Owns the variables of several issuers (`ISSUER_CORP_AUDIENCES`): which belong to an issuer that ISSUERS names, and which belong to
 * none. mcp-server reports problems with the former; one of the latter may be the mistyped rule of a named issuer.
 */
import { nearest } from '../text/nearest.ts';
import type { Environment } from './config.ts';
import { familyPrefix, idsIn } from './family.ts';
import { SETTING_NAMES } from './names.ts';

export interface StrayVariable {
  /** Whether a rule of an issuer may be missing because of it. */
  readonly protects: boolean;
  readonly what: string;
  /** The setting that may be meant. */
  readonly meant: string | undefined;
}

/** Settings that each of several issuers has, by the name after its prefix. */
const MEMBER =
  /^(?:URL|PRESET|ANNOUNCED|METADATA|CLIENT_ID|CLIENT_REDIRECT_URIS|RESOURCE_PARAMETER|PKCE_METHOD|INTERNAL_URL|JWKS_URL|KEYS_TOKEN_FILE|AUDIENCES|AUDIENCE_CLAIM|STATUS_LIST_ORIGINS|CLOCK_TOLERANCE|TOKEN_[A-Z_]+|INTROSPECTION(?:_[A-Z_]+)?)$/;

/** Those that say what clients are told: no token is accepted or refused because of them. */
const FOR_CLIENTS = /^(?:ANNOUNCED|METADATA|CLIENT_ID|CLIENT_REDIRECT_URIS|RESOURCE_PARAMETER|PKCE_METHOD)$/;

/** Those that make an issuer: without one of them the others are no issuer that was left out of ISSUERS, but mistyped. */
const MAKES_ISSUER = ['URL', 'PRESET'];

const WORD = 'ISSUER_';

/** Whether an issuer that ISSUERS names has the variable; also if ISSUERS cannot be read. */
export function isOfIssuer(name: string, { ISSUERS }: Environment): boolean {
  if (!name.startsWith(WORD)) return false;
  return idsIn(ISSUERS)?.some((id) => name.startsWith(familyPrefix('ISSUER', id))) ?? true;
}

/**
 * What a variable is that begins like one of an issuer and belongs to none. @returns nothing for any other
 * @param upper the name in the spelling of settings
 */
export function strayVariable(upper: string, env: Environment): StrayVariable | undefined {
  if (!upper.startsWith(WORD)) return undefined;
  const rest = upper.slice(WORD.length);
  const prefixes = (idsIn(env.ISSUERS) ?? []).map((id) => familyPrefix('ISSUER', id));
  if (MEMBER.test(rest)) {
    const meant = prefixes[0] === undefined ? rest : prefixes[0] + rest;
    const isOfOne = SETTING_NAMES.includes(rest);
    return isOfOne ? { protects: true, what: 'is not a setting', meant } : undefined;
  }
  const at = [...rest.matchAll(/_/g)].map(({ index }) => index).find((index) => MEMBER.test(rest.slice(index + 1)));
  if (at === undefined) return undefined;
  const [own, member] = [WORD + rest.slice(0, at + 1), rest.slice(at + 1)];
  const isLeftOut = !prefixes.includes(own) && MAKES_ISSUER.some((name) => env[own + name]);
  return {
    protects: !isLeftOut && !MAKES_ISSUER.includes(member) && !FOR_CLIENTS.test(member),
    what: prefixes.includes(own) ? 'is not a setting' : 'is for an issuer that ISSUERS does not name',
    meant: nearest(
      upper,
      prefixes.map((prefix) => prefix + member),
    ),
  };
}
