/**
 * Owns the identity that an id token and userinfo give (OpenID Connect Core 1.0 §5.1). Only issuer and subject are required: any
 * other invalid member is dropped and does not prevent the sign-in.
 */
import { textsAt, unreadAt } from '@mcp-oauth/shared/claim-path';
import type { Identity } from '../../federation/connector.ts';
import { label } from '../../federation/subject.ts';
import {
  type ClaimOptions,
  type ClaimSources,
  type Claims,
  comparedEmailsIn,
  mergedClaims,
  verifiedEmailIn,
} from './claims.ts';

/** @param inAnswer claims that came through the browser: they are shown, and no rule reads them */
export function toIdentity(
  { iss, sub }: { readonly iss: string; readonly sub: string },
  sources: ClaimSources,
  inAnswer: Claims,
  options: ClaimOptions,
): Identity {
  const claims = mergedClaims(sources);
  const shown = (name: string) => [...sources, inAnswer].map((source) => label(source[name])).find(Boolean);
  const verifiedEmails = comparedEmailsIn(sources, options);
  const group = textsAt(claims, options.groupsClaim);
  const role = textsAt(claims, options.rolesClaim);
  return {
    issuer: iss,
    subject: sub,
    name: shown('name'),
    username: shown(options.usernameClaim),
    email: verifiedEmailIn(sources, options),
    verifiedEmails,
    unverifiedEmail: verifiedEmails.length === 0 ? shown('email') : undefined,
    memberships: { ...(group.length > 0 && { group }), ...(role.length > 0 && { role }) },
    incomplete: unreadIn(claims, options),
    claims,
  };
}

/** A group in a shape that is not read may be the one that a rule denies. */
function unreadIn(claims: Claims, { groupsClaim, rolesClaim }: ClaimOptions): Identity['incomplete'] {
  const [group, role] = [unreadAt(claims, groupsClaim), unreadAt(claims, rolesClaim)];
  return group || role ? { ...(group && { group }), ...(role && { role }) } : undefined;
}

const LONGEST_USER = 2_048;

/**
 * Apple sends the name once, beside the code and not in the id token: `user={"name":{"firstName":"…","lastName":"…"}}`. It
 * comes through the browser, so it is used as a display name only.
 */
export function userInAnswer({ searchParams }: URL): Claims {
  const text = searchParams.get('user') ?? '';
  if (text.length > LONGEST_USER) return {};
  try {
    const { name } = JSON.parse(text) as { readonly name?: Readonly<Record<string, unknown>> };
    const parts = [label(name?.firstName), label(name?.lastName)].filter((part) => part !== undefined);
    return parts.length > 0 ? { name: parts.join(' ') } : {};
  } catch {
    return {};
  }
}
