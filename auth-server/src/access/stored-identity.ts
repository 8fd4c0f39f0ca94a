/**
 * Owns what of an identity is stored with the account: what rules and tokens need, and nothing else. Rules are evaluated on it at
 * every refresh.
 */
import { unreadAt, valueAt } from '@mcp-oauth/shared/claim-path';
import type { Identity, RuleType } from '../federation/connector.ts';

export interface Needs {
  /** Types of rules, and of memberships that tokens carry. */
  has(type: RuleType): boolean;
  /** Paths of claims. */
  readonly claims: readonly string[];
}

const TYPES = ['user', 'group', 'role', 'org', 'team', 'email', 'domain'] as const;
type StoredType = (typeof TYPES)[number];

export function storedIdentity(identity: Identity, needs: Needs): Identity {
  const { issuer, subject, name, username, email, unverifiedEmail } = identity;
  const byEmail = needs.has('email') || needs.has('domain');
  const types = TYPES.filter((type) => (type === 'email' || type === 'domain' ? byEmail : needs.has(type)));
  const kept = <T>(values: Readonly<Partial<Record<StoredType, T>>> | undefined) => {
    const entries = types.filter((type) => values?.[type] !== undefined);
    return entries.length > 0 ? Object.fromEntries(entries.map((type) => [type, values?.[type]])) : undefined;
  };
  // Under its whole path, which is also found as a name.
  const claims = needs.claims.flatMap((path) => {
    const value = valueAt(identity.claims, path) ?? (unreadAt(identity.claims, path) ? UNREAD : undefined);
    return value === undefined ? [] : [[path, value] as const];
  });
  return withoutAbsent({
    known: [...types, ...needs.claims.map((path) => `claim:${path}`)],
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
