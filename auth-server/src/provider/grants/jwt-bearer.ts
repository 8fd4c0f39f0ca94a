/**
 * Owns the JWT bearer grant (RFC 7523 §2.1) at the token endpoint: an ID-JAG of an identity provider gives the token of a person, the
 * JWT of a workload that of a machine. What an assertion must say is in auth-server/src/assertions.
 */
import type { Clock } from '@mcp-oauth/shared/clock';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Assertions, ReadAssertion } from '../../assertions/assertions.ts';
import { ASSERTION_GRANT } from '../../clients/client.ts';
import { stateOf } from '../../context-state.ts';
import type { RecordStore } from '../../storage/record-store.ts';
import { assertionError } from './assertion-error.ts';
import { type EnterpriseDependencies, redeemIdJag } from './enterprise.ts';
import { createEnterpriseGrants } from './enterprise-grants.ts';
import { redeemWorkload } from './workload.ts';

export interface AssertionOptions extends Pick<EnterpriseDependencies, 'identify'> {
  readonly assertions: Assertions;
}

interface Dependencies extends Omit<EnterpriseDependencies, 'identify' | 'grants'> {
  readonly store: RecordStore;
  readonly clock: Clock;
}

/** Adds the grant to the engine, which then names it in its metadata. */
export function acceptAssertions(
  provider: Provider,
  { assertions, identify }: AssertionOptions,
  dependencies: Dependencies,
): void {
  const enterprise = { ...dependencies, identify, grants: createEnterpriseGrants(dependencies) };
  provider.registerGrantType<{ assertion?: unknown }>(
    ASSERTION_GRANT,
    async (ctx) => {
      const { client, params } = ctx.oidc;
      const { assertion } = params;
      if (typeof assertion !== 'string' || assertion === '') throw new errors.InvalidRequest('assertion is missing');
      try {
        const read = await assertions.read(assertion);
        stateOf(ctx).details = detailsOf(read);
        if (read.kind === 'id-jag') await redeemIdJag(ctx, client, read, enterprise);
        else await redeemWorkload(ctx, client, read, dependencies);
      } catch (error) {
        throw assertionError(ctx, error);
      }
    },
    ['assertion', 'scope', 'resource'],
    'resource',
  );
}

/** For the audit: it finds the same event at the issuer. */
function detailsOf(read: ReadAssertion): NonNullable<ReturnType<typeof stateOf>['details']> {
  const common = { assertion: read.kind, issuer: read.issuer.id };
  return read.kind === 'id-jag' ? { ...common, jti: read.idJag.jti } : { ...common, workload: read.workload.subject };
}
