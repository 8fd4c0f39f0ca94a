/**
 * Owns what a personal token says about its person, and whether that is still true. A name or an address may change; a group, a role
 * or an organisation may decide what a tool does, so a token that states one that its person has lost has to end.
 */
import { hash } from 'node:crypto';
import { PERSON_CLAIMS } from '@mcp-oauth/shared/contract';
import type { Identity } from '../federation/connector.ts';

const MEMBERSHIPS = { groups: 'group', roles: 'role', org: 'org' } as const;

type Claim = keyof typeof MEMBERSHIPS;

const CLAIMS = Object.keys(MEMBERSHIPS) as readonly Claim[];

/** Characters in a record for each value, of which there may be hundreds. */
const DIGEST = 16;

const digestOf = (claim: Claim, value: string): string =>
  `${claim}:${hash('sha256', value, 'base64url').slice(0, DIGEST)}`;

/** Digests of the memberships in the claims of a token. */
export const statesOf = (claims: Readonly<Record<string, unknown>>): readonly string[] =>
  CLAIMS.flatMap((claim) => {
    const values = [claims[PERSON_CLAIMS[claim]]].flat().filter((value) => typeof value === 'string');
    return values.map((value) => digestOf(claim, value));
  });

/** Whether the person still has each of these memberships. A list that is not complete does not say that one is lost. */
export function isStillTrue(states: readonly string[], identity: Identity): boolean {
  if (states.length === 0) return true;
  const certain = CLAIMS.filter((claim) => identity.incomplete?.[MEMBERSHIPS[claim]] === undefined);
  const known = new Set(certain.flatMap((claim) => valuesOf(identity, claim).map((value) => digestOf(claim, value))));
  return states.every((state) => known.has(state) || !certain.some((claim) => state.startsWith(`${claim}:`)));
}

function valuesOf({ memberships, organizations }: Identity, claim: Claim): readonly string[] {
  const organisations = claim === 'org' && organizations?.map(({ id, name }) => name ?? id);
  return organisations || (memberships?.[MEMBERSHIPS[claim]] ?? []);
}
