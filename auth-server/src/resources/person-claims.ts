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
  /** The values of `memberships.org` that are one organisation together. Absent: each value is one. */
  readonly organizations?: readonly { readonly id: string; readonly name?: string | undefined }[] | undefined;
  /** Memberships that the identity provider did not list completely, each with the reason. */
  readonly incomplete?: Readonly<Partial<Record<Membership, string>>> | undefined;
}

type Membership = 'group' | 'role' | 'org';

const VALUES: Readonly<Record<PersonClaim, (person: Described) => string | readonly string[] | undefined>> = {
  name: ({ name }) => name,
  username: ({ username }) => username,
  email: ({ email }) => email,
  org: onlyOrganization,
  roles: ({ memberships }) => memberships?.role,
  groups: ({ memberships }) => memberships?.group,
};

/** Nobody has said in which of several the person acts. */
function onlyOrganization({ organizations, memberships }: Described): string | undefined {
  const [only, ...others] = organizations?.map(({ id, name }) => name ?? id) ?? memberships?.org ?? [];
  return others.length > 0 ? undefined : only;
}

export interface TokenClaims {
  readonly claims: Readonly<Record<string, unknown>>;
  /** What is not known completely, or does not fit. Half of a list would be false, so it is left out whole. */
  readonly leftOut: readonly LeftOut[];
}

interface LeftOut {
  readonly claim: PersonClaim;
  readonly reason: string;
  /** Bytes of a claim that does not fit. */
  readonly size?: number;
}

/** @param limit bytes of all claims together, as JSON; short claims come before lists */
export function tokenClaims(person: Described, names: readonly PersonClaim[], limit: number): TokenClaims {
  const claims: Record<string, unknown> = {};
  const leftOut: LeftOut[] = [];
  let left = limit;
  for (const claim of Object.keys(VALUES) as PersonClaim[]) {
    if (!names.includes(claim)) continue;
    const incomplete = gapIn(person, claim);
    if (incomplete !== undefined) leftOut.push({ claim, reason: incomplete });
    const value = incomplete === undefined ? VALUES[claim](person) : undefined;
    if (value === undefined) continue;
    const size = Buffer.byteLength(JSON.stringify({ [PERSON_CLAIMS[claim]]: value }));
    if (size > left) leftOut.push({ claim, reason: 'too large', size });
    else {
      claims[PERSON_CLAIMS[claim]] = value;
      left -= size;
    }
  }
  return { claims, leftOut };
}

const MEMBERSHIPS: Readonly<Partial<Record<PersonClaim, Membership>>> = { groups: 'group', roles: 'role', org: 'org' };

function gapIn({ incomplete }: Described, claim: PersonClaim): string | undefined {
  const membership = MEMBERSHIPS[claim];
  return membership && incomplete?.[membership];
}

/** What is stored of a person for tokens, and for nothing else. @param needed memberships */
export const storedForTokens = ({ organizations }: Described, needed: ReadonlySet<string>) =>
  needed.has('org') && organizations ? { organizations } : {};

/** @returns the memberships of a person that the claims need; everything else of them is known of every person */
export const neededMemberships = (claims: readonly PersonClaim[]): ReadonlySet<string> =>
  new Set(claims.flatMap((claim) => MEMBERSHIPS[claim] ?? []));
