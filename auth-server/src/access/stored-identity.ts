/**
 * Owns what of an identity is stored with the account: what rules and tokens need, and nothing else. Rules are evaluated on it at
 * every refresh.
 */
import { unreadAt, valueAt } from '@mcp-oauth/shared/claim-path';
import type { Identity, Membership, RuleType } from '../federation/connector.ts';

export interface Needs {
  /** Types of rules, and of memberships that tokens carry. */
  has(type: RuleType): boolean;
  /** Paths of claims. */
  readonly claims: readonly string[];
}

const MEMBERSHIPS: readonly Membership[] = ['user', 'group', 'role', 'org', 'team'];

export function storedIdentity(identity: Identity, needs: Needs): Identity {
  const { issuer, subject, name, username, email, unverifiedEmail } = identity;
  const kept = <T>(values: Readonly<Partial<Record<Membership, T>>> | undefined) => {
    const entries = MEMBERSHIPS.filter((type) => needs.has(type) && values?.[type] !== undefined);
    return entries.length > 0 ? Object.fromEntries(entries.map((type) => [type, values?.[type]])) : undefined;
  };
  const byEmail = needs.has('email') || needs.has('domain');
  // Under its whole path, which is also found as a name.
  const claims = needs.claims.flatMap((path) => {
    const value = valueAt(identity.claims, path) ?? (unreadAt(identity.claims, path) ? UNREAD : undefined);
    return value === undefined ? [] : [[path, value] as const];
  });
  const types = [...MEMBERSHIPS, 'email', 'domain'] as const;
  return withoutAbsent({
    known: [
      ...types.filter((type) => (type === 'email' || type === 'domain' ? byEmail : needs.has(type))),
      ...needs.claims.map((path) => `claim:${path}`),
    ],
    issuer,
    subject,
    name,
    username,
    email,
    verifiedEmails: byEmail ? identity.verifiedEmails : undefined,
    unverifiedEmail: byEmail ? unverifiedEmail : undefined,
    domains: byEmail ? identity.domains : undefined,
    memberships: kept(identity.memberships),
    incomplete: kept(identity.incomplete),
    claims: claims.length > 0 ? Object.fromEntries(claims) : undefined,
  });
}

/** An object has no texts, so that a claim that could not be read at the sign-in stays unread. */
const UNREAD = {};

const withoutAbsent = (identity: Identity): Identity =>
  Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined)) as unknown as Identity;
