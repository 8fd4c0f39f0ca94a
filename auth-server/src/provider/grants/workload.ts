/**
 * Owns the access token for the JWT of a workload (RFC 7523 §2.1): what a rule of the operator says, for a machine and no person, so that
 * it has a subject of its own kind and belongs to the client of the rule, as the tokens of a machine client do (RFC 6749 §4.4).
 */
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { Assertions } from '../../assertions/assertions.ts';
import { AssertionRefused } from '../../assertions/refused.ts';
import { ruleFor, type Workload, type WorkloadIssuer, workloadSubject } from '../../assertions/workload/workload.ts';
import { ASSERTION_GRANT } from '../../clients/client.ts';
import type { Resources } from '../../resources/resource.ts';
import { namesOf } from '../../resources/scope.ts';
import { checkProof } from '../overrides/token/proof.ts';
import type { ResourceInfo } from '../resource-indicators.ts';
import { refusalOf } from './assertion-error.ts';
import { issuable, issueToken, resourceAmong } from './issue.ts';

/**
 * RFC 7521 §4.1: a workload need not know a client id. The client of its rule must be one without a secret. Without a rule it is refused
 * as with a client id, so that the log has the reason, and nobody learns which claims have a rule.
 */
export const clientOfWorkload =
  ({ clientOf }: Pick<Assertions, 'clientOf'>, resources: Resources) =>
  ({ grant_type: grant, assertion, resource: asked }: Readonly<Record<string, unknown>>): string | undefined => {
    if (grant !== ASSERTION_GRANT || typeof assertion !== 'string') return undefined;
    try {
      return clientOf(assertion, namedIn(asked, resources));
    } catch (error) {
      throw refusalOf(error);
    }
  };

/** @returns whether a rule about a resource is meant by this parameter */
const namedIn = (asked: unknown, resources: Resources) => {
  const isAsked = resourceAmong(asked, resources);
  return (identifier: string): boolean => isAsked(resources.find(identifier));
};

export interface WorkloadDependencies {
  readonly resources: Resources;
  readonly resourceInfo: ResourceInfo;
}

interface Presented {
  readonly issuer: WorkloadIssuer;
  readonly workload: Workload;
}

export async function redeemWorkload(
  ctx: KoaContextWithOIDC,
  client: Client,
  { issuer, workload }: Presented,
  { resources, resourceInfo }: WorkloadDependencies,
): Promise<void> {
  const isMeant = namedIn(ctx.oidc.params?.resource, resources);
  const rule = ruleFor(workload, issuer, { clientId: client.clientId, isMeant });
  const resource = resources.find(rule.resource);
  if (!resource) throw new AssertionRefused('resource', 'the rule is about a resource that is not known');
  const key = await checkProof(ctx, client.clientId);
  const { scope } = ctx.oidc.params ?? {};
  const asked = namesOf(typeof scope === 'string' ? scope : undefined);
  const scopes = rule.scopes.filter((name) => asked.length === 0 || asked.includes(name));
  const given = await issuable(ctx, client, { resource, scopes, resourceInfo });
  const members = { accountId: workloadSubject(issuer, rule) };
  // Whom the token is for, in the log and the audit.
  ctx.oidc.entity('Account', members as never);
  await issueToken(ctx, client, { ...given, model: 'ClientCredentials', members, key, longest: issuer.tokenLifetime });
}
