/**
 * Owns what an access token says about its person: the names that an operator can choose, the claims of a token within its limit, and
 * what has to be known of a person for them (RFC 9068 §2.2.2, §2.2.3.1).
 */
import { PERSON_CLAIMS, type PersonClaim } from '@mcp-oauth/shared/contract';
import { exactList } from '@mcp-oauth/shared/settings/types';
import { z } from 'zod';

const NAMES = Object.keys(PERSON_CLAIMS) as readonly PersonClaim[];

/** The names of claims, each once and in our order. */
export const personClaimList = z
  .array(z.enum(NAMES, `expected some of ${NAMES.join(', ')}`))
  .transform((given): readonly PersonClaim[] => NAMES.filter((name) => given.includes(name)));

/** The same, separated by commas. */
export const personClaims = (): z.ZodType<readonly PersonClaim[], string> => exactList().pipe(personClaimList);

/** A person as their identity provider describes them. */
export interface Described {
  readonly name?: string | undefined;
  readonly username?: string | undefined;
  /** Only if it is verified. */
  readonly email?: string | undefined;
  readonly memberships?: Readonly<Partial<Record<Membership, readonly string[]>>> | undefined;
}

type Membership = 'group' | 'role' | 'org';

const VALUES: Readonly<Record<PersonClaim, (person: Described) => string | readonly string[] | undefined>> = {
  name: ({ name }) => name,
  username: ({ username }) => username,
  email: ({ email }) => email,
  org: ({ memberships }) => only(memberships?.org),
  roles: ({ memberships }) => memberships?.role,
  groups: ({ memberships }) => memberships?.group,
};

/** Nobody has said in which of several organisations the person acts. */
const only = (values: readonly string[] = []): string | undefined => (values.length === 1 ? values[0] : undefined);

export interface TokenClaims {
  readonly claims: Readonly<Record<string, unknown>>;
  /** What did not fit, with its size in bytes. Half of a list would be false, so it is left out whole. */
  readonly leftOut: readonly { readonly claim: PersonClaim; readonly size: number }[];
}

/** @param limit bytes of all claims together, as JSON; short claims come before lists */
export function tokenClaims(person: Described, names: readonly PersonClaim[], limit: number): TokenClaims {
  const claims: Record<string, unknown> = {};
  const leftOut: { claim: PersonClaim; size: number }[] = [];
  let left = limit;
  for (const claim of Object.keys(VALUES) as PersonClaim[]) {
    const value = names.includes(claim) ? VALUES[claim](person) : undefined;
    if (value === undefined) continue;
    const size = Buffer.byteLength(JSON.stringify({ [PERSON_CLAIMS[claim]]: value }));
    if (size > left) {
      leftOut.push({ claim, size });
      continue;
    }
    claims[PERSON_CLAIMS[claim]] = value;
    left -= size;
  }
  return { claims, leftOut };
}

const MEMBERSHIPS: Readonly<Partial<Record<PersonClaim, Membership>>> = { groups: 'group', roles: 'role', org: 'org' };

/** @returns the memberships of a person that the claims need; everything else of them is known of every person */
export const neededMemberships = (claims: readonly PersonClaim[]): ReadonlySet<string> =>
  new Set(claims.flatMap((claim) => MEMBERSHIPS[claim] ?? []));
