/** Owns how assertions are accepted by the settings: the trusted issuers, their keys, and the people that their ID-JAGs name. */

import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { StartError } from '@mcp-oauth/shared/errors';
import { familyPrefix } from '@mcp-oauth/shared/settings/family';
import type { Access } from '../../access/access.ts';
import { createAssertions } from '../../assertions/assertions.ts';
import type { EnterpriseIssuer, IdJag } from '../../assertions/id-jag.ts';
import { knownFrom } from '../../assertions/person.ts';
import { AssertionRefused } from '../../assertions/refused.ts';
import { createIssuerKeys } from '../../assertions/signed/issuer-keys.ts';
import type { Config } from '../../config.ts';
import { type Connector, type Identity, UpstreamError } from '../../federation/connector.ts';
import { innermost } from '../../federation/failure.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { acceptIdentity, localSubject } from '../../federation/subject.ts';
import type { AssertionOptions } from '../../provider/grants/jwt-bearer.ts';
import type { Resources } from '../../resources/resource.ts';
import type { Dependencies } from '../dependencies.ts';

interface AssertionDependencies extends Pick<Dependencies, 'clock' | 'log' | 'fetch'> {
  readonly connectors: readonly OpenConnector[];
  readonly resources: Pick<Resources, 'find'>;
  readonly access: Pick<Access, 'stored' | 'needs'>;
}

/** For an engine that judges clients, and gets no token request. */
export const NO_ASSERTIONS: AssertionOptions = {
  assertions: {
    clientOf: () => undefined,
    read: () => Promise.reject(new AssertionRefused('issuer', 'no issuer is trusted')),
  },
  identify: () => Promise.reject(new AssertionRefused('person', 'nobody is known')),
};

/**
 * @returns `undefined` without any trusted issuer
 * @throws StartError if a connector does not know the people of its issuer, or a rule or setting names an unknown resource
 */
export async function composeAssertions(
  { issuer: audience, trustedIssuers: { enterprise, workload } }: Config,
  { connectors, access, resources, clock, log, fetch }: AssertionDependencies,
): Promise<AssertionOptions | undefined> {
  if (enterprise.length + workload.length === 0) return undefined;
  const named = [
    ...workload.map(({ id, rules }) => ({
      env: `${familyPrefix('WORKLOAD_ISSUER', id)}RULES`,
      identifiers: rules.map(({ resource }) => resource),
    })),
    ...enterprise.map(({ id, resources: allowed = [] }) => ({
      env: `${familyPrefix('ENTERPRISE_ISSUER', id)}RESOURCES`,
      identifiers: allowed,
    })),
  ];
  for (const { env, identifiers } of named) {
    const stray = identifiers.find((identifier) => !resources.find(identifier));
    if (stray !== undefined) throw new StartError(`${env}: no resource of this server is ${stray}`);
  }
  const identifiers = new Map<string, NonNullable<Connector['identify']>>();
  for (const issuer of enterprise) identifiers.set(issuer.id, await identifierFor(issuer, connectors));
  return {
    assertions: createAssertions({
      audience,
      enterprise,
      workload,
      clock,
      keysOf: (issuer) =>
        createIssuerKeys(issuer, {
          fetch,
          clock,
          onFailure: (error, isNews) => {
            if (isNews) log.warn({ issuer: issuer.id, reason: reasonOf(error) }, 'keys of a trusted issuer not read');
          },
          onRecovery: () => log.info({ issuer: issuer.id }, 'keys of a trusted issuer read again'),
        }),
    }),
    identify: async ({ id, connector }, claims) => {
      const identity = await identityIn(claims, identifiers.get(id));
      const { identity: needed, ...account } = access.stored({
        accountId: localSubject(identity),
        connector,
        identity,
      });
      return { ...account, isAsserted: true, identity: knownFrom(needed, claims, access.needs(connector).claims) };
    },
  };
}

/** The subject of a person is made of the issuer that the connector reports, so it must be the one that signs the ID-JAGs. */
async function identifierFor({ id, issuer, connector: name }: EnterpriseIssuer, connectors: readonly OpenConnector[]) {
  const refuse = (why: string): never => {
    const env = `${familyPrefix('ENTERPRISE_ISSUER', id)}CONNECTOR`;
    throw new StartError(`${env}: ${name} does not sign in the people of ${issuer}: ${why}`);
  };
  const connector = connectors.find((one) => one.id === name)?.connector;
  const identify = connector?.identify?.bind(connector) ?? refuse('it is no OpenID provider');
  try {
    const { issuer: own } = await identify({ iss: issuer, sub: 'anybody', oid: NOBODY });
    if (own !== issuer) refuse(`its issuer is ${own}`);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    refuse(error.message);
  }
  return identify;
}

/** What identifies a person at Microsoft Entra ID, for a trial. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

async function identityIn(claims: IdJag['claims'], identify: Connector['identify']): Promise<Identity> {
  try {
    if (!identify) throw new Error('the issuer has no connector');
    return acceptIdentity(await identify(claims));
  } catch (cause) {
    const { message } = innermost(cause);
    throw new AssertionRefused('person', `the connector does not accept its claims: ${message}`, { cause });
  }
}
