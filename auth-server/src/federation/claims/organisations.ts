/**
 * Owns in which organisations a person may act: those of the claim that the operator named for the connector. Such a list is also what
 * `org:` rules are about.
 */

import { textsAt, unreadAt } from '@mcp-oauth/shared/claim-path';
import type { Account } from '../account.ts';
import type { Connector, ConnectorContext, Identity } from '../connector.ts';
import type { ConfiguredConnector, OpenConnector } from '../registry.ts';
import type { ConnectorFederation } from '../settings.ts';

export interface Organisations {
  /** The organisations from which a person chooses; empty if the operator named no claim for their connector. */
  of(account: Account | undefined): readonly string[];
}

/** @param paths of the claims, by connector */
export const organisationsBy = (paths: ReadonlyMap<string, string>): Organisations => ({
  of: (account) => (account && paths.has(account.connector) ? (account.identity.memberships?.org ?? []) : []),
});

/** The paths of the claims that the operator named, by connector. */
export const orgClaimsOf = (configured: readonly ConfiguredConnector[]): ReadonlyMap<string, string> =>
  new Map(
    configured.flatMap(({ id, every }) => {
      const { orgClaim } = (every ?? {}) as Partial<ConnectorFederation>;
      return orgClaim ? [[id, orgClaim] as const] : [];
    }),
  );

/** The connectors, whose identities have the organisations of the claim that the operator named. */
export const readOrganisations = (
  connectors: readonly OpenConnector[],
  paths: ReadonlyMap<string, string>,
): readonly OpenConnector[] =>
  connectors.map((open) => {
    const path = paths.get(open.id);
    return path === undefined ? open : { ...open, connector: withOrganisations(open.connector, path) };
  });

/** A path may lead to any claim, so all sources of claims are asked. */
export const withClaims = (needs: NonNullable<ConnectorContext['needs']>): NonNullable<ConnectorContext['needs']> => ({
  has: (type) => type === 'claim' || needs.has(type),
});

/** The same connector, whose identities have the organisations of the claim at `path`, each once. */
function withOrganisations(connector: Connector, path: string): Connector {
  const read = (identity: Identity): Identity => {
    const org = [...new Set(textsAt(identity.claims, path))];
    const { org: others, ...incomplete } = identity.incomplete ?? {};
    const unread = unreadAt(identity.claims, path);
    // Those of the connector would say another one in tokens than the person has chosen.
    return {
      ...identity,
      memberships: { ...identity.memberships, org },
      organizations: undefined,
      incomplete: { ...incomplete, ...(unread && { org: unread }) },
    };
  };
  const { identify, recheck } = connector;
  return {
    ...connector,
    finish: async (answer, checks) => {
      const signIn = await connector.finish(answer, checks);
      return { ...signIn, identity: read(signIn.identity) };
    },
    ...(identify && { identify: async (claims) => read(await identify(claims)) }),
    ...(recheck && {
      recheck: async (...asked) => {
        const signIn = await recheck(...asked);
        return { ...signIn, identity: read(signIn.identity) };
      },
    }),
  };
}
