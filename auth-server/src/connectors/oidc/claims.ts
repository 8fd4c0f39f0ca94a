/**
 * Owns which claims of a person are read: those of the id token, and those of userinfo if something is missing (OpenID Connect Core
 * 1.0 §5.3). What a rule needs must be complete; what is for display only may be missing.
 */

import { valueAt } from '@mcp-oauth/shared/claim-path';
import { isDeeper, isObject } from '@mcp-oauth/shared/json';
import { type ConnectorContext, UpstreamError } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';

/** The claims of an id token or of userinfo. */
export interface Claims {
  readonly [name: string]: unknown;
  readonly name?: unknown;
  readonly email?: unknown;
  readonly email_verified?: unknown;
}

/** The claims of both sources, the more trusted first. */
export type ClaimSources = readonly [idToken: Claims, userInfo: Claims];

/** Which claims say what. */
export interface ClaimOptions {
  /** Paths of the claims with the groups and the roles. */
  readonly groupsClaim: string;
  readonly rolesClaim: string;
  readonly usernameClaim: string;
  /** Whether claims say that their `email` is verified; `undefined` if they say nothing. */
  readonly isVerified: (claims: Claims) => boolean | undefined;
}

interface ClaimsNeeded {
  readonly needs: ConnectorContext['needs'];
  readonly options: ClaimOptions;
  /** Absent: the provider has no userinfo endpoint. */
  readonly askUserInfo: (() => Promise<Claims>) | undefined;
  /** Whether the id token is that of an earlier answer: userinfo is then asked, must answer, and is newer. */
  readonly isOld?: boolean | undefined;
}

/** @throws UpstreamError when userinfo cannot be read and a rule may need it */
export async function collectClaims(idToken: Claims, needed: ClaimsNeeded): Promise<ClaimSources> {
  const { askUserInfo } = needed;
  const isNeeded = needed.isOld || lacksForRules(idToken, needed);
  if (!askUserInfo || (!isNeeded && isShowable(idToken, needed))) return [idToken, {}];
  try {
    const userInfo = await askUserInfo();
    return [needed.isOld ? withoutReplaced(idToken, userInfo) : idToken, userInfo];
  } catch (error) {
    if (isNeeded) throw error;
    return [idToken, {}];
  }
}

/** What the signature alone may say: userinfo replaces none of it. */
const SIGNED: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'azp', 'tid', 'hd', 'org_id']);

/** The claims of an earlier id token that userinfo says nothing newer about. `null` counts as absent (OpenID Connect Core 1.0 §5.3.2). */
function withoutReplaced(idToken: Claims, userInfo: Claims): Claims {
  const isNewer = (name: string) => userInfo[name] !== undefined && userInfo[name] !== null && !SIGNED.has(name);
  // The flag belongs to the address.
  const replaced = (name: string) => isNewer(name) || (name === 'email_verified' && isNewer('email'));
  return Object.fromEntries(Object.entries(idToken).filter(([name]) => !replaced(name)));
}

function lacksForRules(idToken: Claims, { needs, options }: ClaimsNeeded): boolean {
  const isAbsent = (path: string) => valueAt(idToken, path) === undefined;
  return Boolean(
    // A path may lead to any claim, so the id token alone never shows that it is absent.
    needs?.has('claim') ||
      (needs?.has('group') && isAbsent(options.groupsClaim)) ||
      (needs?.has('role') && isAbsent(options.rolesClaim)) ||
      ((needs?.has('email') || needs?.has('domain')) && verifiedEmailIn([idToken], options) === undefined),
  );
}

/** Whether name and address can be shown without userinfo. */
const isShowable = (claims: Claims, { options }: ClaimsNeeded): boolean =>
  verifiedEmailIn([claims], options) !== undefined &&
  (label(claims.name) ?? label(claims[options.usernameClaim])) !== undefined;

/** Bytes of JSON: much more than a person needs, and little enough to store and to read at each request. */
const LARGEST_CLAIMS = 65_536;
/** A secret of this sign-in, and a picture that may be embedded. No rule is about them. */
const LEFT_OUT = ['nonce', 'picture'];

/** Levels of lists and objects in a claim: no vendor needs more than a few. */
const DEEPEST = 32;

/**
 * The claims of both sources as one object; the id token wins.
 * @throws UpstreamError when they are too large or too deep: what is cut off might be what a rule is about
 */
export function mergedClaims(sources: ClaimSources): Claims {
  const deep = sources.flatMap(Object.entries).find(([, value]) => isDeeper(value, DEEPEST));
  if (deep) {
    const facts = { claim: deep[0], expected: `at most ${DEEPEST} levels` };
    throw new UpstreamError('misconfigured', `the claim ${deep[0]} is nested too deeply`, facts);
  }
  const members = Object.entries(withMembersOf(...sources)).filter(([name]) => !LEFT_OUT.includes(name));
  const merged = Object.fromEntries(members);
  const size = Buffer.byteLength(JSON.stringify(merged));
  if (size <= LARGEST_CLAIMS) return merged;
  const sizes = members.map(([name, value]) => ({ name, bytes: JSON.stringify(value)?.length ?? 0 }));
  const claim = sizes.reduce((one, other) => (other.bytes > one.bytes ? other : one)).name;
  const message = `the claims have ${size} bytes: have the provider filter what it puts into ${claim}, such as the groups`;
  throw new UpstreamError('misconfigured', message, {
    claim,
    expected: `at most ${LARGEST_CLAIMS} bytes`,
    found: size,
  });
}

/**
 * Objects in both have the members of both, because each source may have the roles of other clients. `null` says nothing (OpenID
 * Connect Core 1.0 §5.3.2).
 */
function withMembersOf(first: Claims, second: Claims): Claims {
  const added = Object.entries(second).map(([name, other]) => {
    const value = Object.hasOwn(first, name) ? (first[name] ?? other) : other;
    return [name, isObject(value) && isObject(other) ? withMembersOf(value, other) : value] as const;
  });
  return { ...first, ...Object.fromEntries(added) };
}

/** Cognito and Apple send the flag as text. */
export const emailVerified = ({ email_verified: flag }: Claims): boolean | undefined => {
  if (flag === undefined || flag === null) return undefined;
  return flag === true || flag === 'true';
};

type Verifying = Pick<ClaimOptions, 'isVerified'>;

/** The first verified address that can be shown. One with characters that are not shown would look like another one. */
export const verifiedEmailIn = (sources: readonly Claims[], options: Verifying): string | undefined =>
  verifiedEmailsIn(sources, options).find(isShown);

/** What counts in rules: the address that is shown, and those that are not, which may be what a rule denies. */
export function comparedEmailsIn(sources: readonly Claims[], options: Verifying): readonly string[] {
  const verified = verifiedEmailsIn(sources, options);
  const shown = verified.find(isShown);
  return [...new Set(verified)].filter((address) => address === shown || !isShown(address));
}

const isShown = (address: string): boolean => label(address) === address;

/**
 * Address and flag must come from one source, because it only verifies its own address; if both name the same address, the first flag
 * counts.
 */
function verifiedEmailsIn(sources: readonly Claims[], { isVerified }: Verifying): readonly string[] {
  const said = sources.flatMap((claims) => {
    const { email } = claims;
    return typeof email === 'string' ? [{ email, flag: isVerified(claims) }] : [];
  });
  const flagOf = (address: string) => said.find(({ email, flag }) => email === address && flag !== undefined)?.flag;
  return said.map(({ email }) => email).filter((address) => flagOf(address) === true);
}
