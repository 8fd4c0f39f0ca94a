/**
 * Ensures that an access token says about its person what the operator has chosen for its resource and the person has approved, and
 * nothing else (RFC 9068 §2.2.2, §5). The engine has read the account and the grant before, so this costs no further round trip.
 */
import type { Configuration } from 'oidc-provider';
import { approvedClaims } from '../../consent/approval.ts';
import { stateOf } from '../../context-state.ts';
import type { Account } from '../../federation/account.ts';
import type { Identity } from '../../federation/connector.ts';
import { tokenClaims } from '../../resources/person-claims.ts';
import type { Resources } from '../../resources/resource.ts';
import { approvalsOf, organisationOf } from '../overrides/approvals.ts';

/** Only the organisation of the grant counts, and only as long as the person belongs to it. */
function actingFor(organisation: string | undefined, identity: Identity): Identity {
  if (organisation === undefined) return identity;
  const { memberships } = identity;
  const { org: others, ...incomplete } = identity.incomplete ?? {};
  const org = memberships?.org?.filter((name) => name === organisation) ?? [];
  // Whatever else the list may have, the person belongs to the chosen one.
  return { ...identity, memberships: { ...memberships, org }, incomplete };
}

/** @param limit bytes of the claims of one token */
export function tellPerson(resources: Resources, limit: number): NonNullable<Configuration['extraTokenClaims']> {
  return (ctx, token) => {
    const { Account: person, Grant: grant } = ctx.oidc.entities;
    const resource = resources.find(token.resourceServer?.identifier() ?? '');
    // The token of a machine client has no person (RFC 6749 §4.4).
    if (token.kind !== 'AccessToken' || !person || !resource || resource.claims.length === 0) return undefined;
    const approved = approvedClaims(approvalsOf(grant), resource.identifiers[0]);
    const names = resource.claims.filter((name) => approved.has(name));
    const { claims, leftOut } = tokenClaims(
      actingFor(organisationOf(grant), (person.account as Account).identity),
      names,
      limit,
    );
    for (const { size, ...left } of leftOut) {
      const limits = size !== undefined && { size, limit, setting: 'MAX_TOKEN_CLAIMS_SIZE' };
      stateOf(ctx).log.warn(
        { ...left, ...limits, client: ctx.oidc.client?.clientId },
        'claim left out of an access token',
      );
    }
    return claims;
  };
}
