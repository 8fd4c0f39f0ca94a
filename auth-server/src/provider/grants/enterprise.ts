/**
 * Owns the access token for an ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-04 §4.4): for the person whom a sign-in with the
 * same identity provider would give, at one resource, for a short time, and without a refresh token. The same client may present it again
 * until it expires (§4.4.3).
 */
import { isDeepStrictEqual } from 'node:util';
import { type Client, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Access } from '../../access/access.ts';
import type { PassThrough } from '../../access/gate.ts';
import type { EnterpriseIssuer, IdJag } from '../../assertions/id-jag.ts';
import { AssertionRefused } from '../../assertions/refused.ts';
import { scopesWithin } from '../../assertions/scopes.ts';
import { ASSERTION_GRANT } from '../../clients/client.ts';
import { stateOf } from '../../context-state.ts';
import type { Account, Accounts } from '../../federation/account.ts';
import type { Resource, Resources } from '../../resources/resource.ts';
import { hasUnknownScope, namesOf } from '../../resources/scope.ts';
import type { EndedBefore } from '../../revocation/ended-before.ts';
import { refusePerson } from '../find-account.ts';
import { checkProof } from '../overrides/token/proof.ts';
import { own, type ResourceInfo } from '../resource-indicators.ts';
import type { EnterpriseGrants } from './enterprise-grants.ts';
import { issuable, issueToken, resourceAmong } from './issue.ts';

export interface EnterpriseDependencies {
  readonly resources: Resources;
  readonly resourceInfo: ResourceInfo;
  readonly accounts: Accounts;
  readonly passThrough: PassThrough;
  readonly access: Pick<Access, 'permitted'>;
  readonly endedBefore: Pick<EndedBefore, 'includes'>;
  readonly grants: EnterpriseGrants;
  /** The account that the claims of an ID-JAG give, as a sign-in would. @throws AssertionRefused */
  readonly identify: (issuer: EnterpriseIssuer, claims: IdJag['claims']) => Promise<Account>;
}

interface Presented {
  readonly issuer: EnterpriseIssuer;
  readonly idJag: IdJag;
}

export async function redeemIdJag(
  ctx: KoaContextWithOIDC,
  client: Client,
  { issuer, idJag }: Presented,
  dependencies: EnterpriseDependencies,
): Promise<void> {
  const { grants, endedBefore } = dependencies;
  checkClient(client, issuer, idJag);
  const key = await checkProof(ctx, client.clientId);
  if (idJag.jkt !== undefined && idJag.jkt !== key) {
    throw new AssertionRefused('proof', 'it is bound to a key that was not proved', { claim: 'cnf' });
  }
  const resource = resourceOf(ctx, issuer, idJag, dependencies.resources);
  const made = await dependencies.identify(issuer, idJag.claims);
  const { accountId } = made;
  const parties = { issuer: issuer.id, accountId, clientId: client.clientId };
  const hasEnded = () => endedBefore.includes({ ...parties, createdAt: idJag.issuedAt });
  if (await hasEnded()) throw allEnded();
  const found = await grants.find(ctx, parties, idJag.issuedAt);
  if (found.grant) ctx.oidc.entity('Grant', found.grant);
  const account = await admit(ctx, made, { issuer, idJag }, dependencies);
  ctx.oidc.entity('Account', { accountId, account } as never);
  const scopes = await scopesFor(ctx, { issuer, idJag }, resource);
  const given = await issuable(ctx, client, { resource, scopes, resourceInfo: dependencies.resourceInfo });
  const grant = await grants.keep(ctx, parties, found, given);
  ctx.oidc.entity('Grant', grant);
  // An ending sets its moment and then looks for grants, so one of the two sees the other.
  if (!found.grant && (await hasEnded())) {
    stateOf(ctx).isRefused = true;
    await grant.destroy();
    throw allEnded();
  }
  const members = { accountId, grantId: grant.jti, gty: ASSERTION_GRANT };
  await issueToken(ctx, client, { ...given, model: 'AccessToken', members, key, longest: issuer.tokenLifetime });
}

const allEnded = () => new AssertionRefused('ended', 'all access was ended after it was issued', { claim: 'iat' });

/** §4.4.1: the client of the ID-JAG is the one that authenticated itself. §8.1: clients that can't are for other grants. */
function checkClient({ clientId, clientAuthMethod }: Client, issuer: EnterpriseIssuer, idJag: IdJag): void {
  if (clientAuthMethod === 'none' && !issuer.publicClients) {
    throw new AssertionRefused('public client', `PUBLIC_CLIENTS of ${issuer.id} is false`);
  }
  if (idJag.clientId === clientId) return;
  const facts = { claim: 'client_id', expected: clientId, found: idJag.clientId };
  throw new AssertionRefused('client', 'it is for another client', facts);
}

function resourceOf(ctx: KoaContextWithOIDC, issuer: EnterpriseIssuer, idJag: IdJag, resources: Resources): Resource {
  const resource = resources.find(idJag.resource);
  const facts = { claim: 'resource', found: idJag.resource };
  if (!resource) throw new AssertionRefused('resource', 'it is for a resource of another server', facts);
  if (issuer.resources && !issuer.resources.some((allowed) => resources.find(allowed) === resource)) {
    throw new AssertionRefused('resource', `RESOURCES of ${issuer.id} does not name its resource`, facts);
  }
  if (!resourceAmong(ctx.oidc.params?.resource, resources)(resource)) {
    throw new errors.InvalidTarget('resource must be the one that the assertion is for');
  }
  return resource;
}

/**
 * The person passes the gates as at a refresh. Somebody who never signed in is judged by the ID-JAG, and remembered only if they may
 * come in. What a rule asks for and neither a sign-in nor the ID-JAG said is not known, and not assumed.
 */
async function admit(
  ctx: KoaContextWithOIDC,
  made: Account,
  { issuer, idJag }: Presented,
  { accounts, passThrough, access }: EnterpriseDependencies,
): Promise<Account> {
  const stored = await accounts.find(made.accountId);
  // What an earlier ID-JAG said of the person may not be true any more.
  const known = stored?.isAsserted && stored.denied === undefined ? undefined : stored;
  // The rules of the connector that the operator named count too, if the person last came with another one of the same issuer.
  const asked = known ? [...(known.connector === issuer.connector ? [] : [made]), known] : [made];
  let admitted = made;
  for (const account of asked) {
    const passage = await passThrough(account, 'token', idJag.issuedAt);
    if (passage.refusal) await refusePerson(ctx, passage.refusal, made.accountId);
    admitted = passage.account;
  }
  // A sign-in meanwhile says more, and stays.
  if (!stored) await accounts.add(admitted);
  else if (!known && !isDeepStrictEqual(stored, admitted)) await accounts.replace(stored, admitted);
  stateOf(ctx).permitted = (names, free) => access.permitted(admitted, names, free);
  return admitted;
}

/** What the request, the ID-JAG and the issuer have in common; `issuable` leaves out what the person or the client may not have. */
async function scopesFor(ctx: KoaContextWithOIDC, { issuer, idJag }: Presented, resource: Resource) {
  const { scope } = ctx.oidc.params ?? {};
  const asked = namesOf(typeof scope === 'string' ? scope : undefined).filter((name) => !own.has(name));
  const said = idJag.scope === undefined ? undefined : namesOf(idJag.scope);
  await resource.ready();
  // The resource may have added the scope since its metadata was read.
  if (hasUnknownScope([...asked, ...(said ?? [])].join(' '), resource, own)) await resource.renew();
  return scopesWithin({ asked, said, cap: issuer.scopes, usual: namesOf(resource.defaultScope) });
}
