/**
 * Owns sign-in with Microsoft Entra ID: one tenant, several, or any organization; an address that counts only with `xms_edov`, because
 * an administrator of any tenant may write any address; and groups that do not fit into a token.
 */
import { optional, setting } from '@mcp-oauth/shared/settings/config';
import { exactList, oneOf, text, url } from '@mcp-oauth/shared/settings/types';
import { defineConnector, type Identity } from '../federation/connector.ts';
import { httpsOnly } from '../federation/upstream/https-only.ts';
import { createUpstreamFetch, endingWith } from '../federation/upstream/upstream-fetch.ts';
import { groupsFromGraph, hasOverage, type ListedGroups, objectIdOf } from './entra/overage.ts';
import { judgeTenants, tenantsOf } from './entra/tenants.ts';
import type { Claims } from './oidc/claims.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor, TOOLS } from './oidc/settings.ts';

const { issuer, internalUrl, responseMode, logoutEndsApprovals, ...settings } = settingsFor({
  offlineAccess: { default: 'scope' },
  clientId: { doc: 'Application (client) id of the app registration.' },
  clientSecret: { doc: 'Value of a client secret of the app registration.' },
});

export default defineConnector({
  type: 'entra',
  title: 'Microsoft',
  tools: TOOLS,
  settings: {
    ...settings,
    tenant: setting({
      env: 'TENANT',
      doc: 'Who may sign in: one tenant (its id or a domain), several tenants (ids separated by commas), or organizations for any tenant.',
      type: exactList(),
      example: '72f988bf-86f1-41af-91ab-2d7cd011db47',
    }),
    subject: setting({
      env: 'SUBJECT',
      doc: 'What identifies a person: sub, which is another one for each app registration, or oid, the object id in the tenant, which stays when the app registration is replaced. A change makes everybody a new person.',
      type: oneOf('sub', 'oid'),
      default: 'sub',
    }),
    authority: setting({
      env: 'AUTHORITY',
      doc: 'URL of the sign-in service; another one in a national cloud.',
      type: url(),
      default: 'https://login.microsoftonline.com',
      example: 'https://login.microsoftonline.us',
    }),
    onBehalfOf: optional({
      env: 'ON_BEHALF_OF',
      doc: 'Scope of the API of this app registration. People who connect their account for tools then allow this scope only, and its token is exchanged for one with TOOL_SCOPES (on-behalf-of flow), which an administrator has to allow. Not set: people allow TOOL_SCOPES themselves.',
      type: text(),
      example: 'api://6731de76-14a6-49ae-97bc-6eba6914391e/access_as_user',
    }),
    graphUrl: setting({
      env: 'GRAPH_URL',
      doc: 'URL of Microsoft Graph, which lists the groups of a person who has too many for a token.',
      type: url(),
      default: 'https://graph.microsoft.com',
      example: 'https://graph.microsoft.us',
    }),
  },
  lacks: NO_LOGOUT_TOKENS,
  rules: ({ tenant, authority, graphUrl, ...values }) => [
    ...judgeTenants(lowerCase(tenant)),
    ...httpsOnly({ AUTHORITY: authority, GRAPH_URL: graphUrl }),
    ...rules({ ...values, ...withIssuer(authority) }).filter(({ env }) => env !== 'ISSUER'),
  ],
  acceptance: ({ tenant, authority }) => tenantsOf(lowerCase(tenant), authority).acceptance,
  open: ({ tenant, subject, authority, graphUrl, onBehalfOf, ...values }, context) => {
    const { metadataIssuer, acceptance, ...tenants } = tenantsOf(lowerCase(tenant), authority);
    const needsGroups = () => context.needs?.has('group') === true;
    const fetch = createUpstreamFetch(context.fetch, values.timeout);
    return openOidc({ ...values, ...withIssuer(metadataIssuer) }, context, {
      ...tenants,
      isVerified,
      skipsUserInfo: true,
      // Microsoft Graph, "List a user's memberships": the permission for one's own.
      scopes: () => (needsGroups() ? ['User.Read'] : []),
      tools: { listedAs: (scope) => listedAs(scope, graphUrl), onBehalfOf },
      refine: async (identity, { idToken, accessToken, signal }) => {
        const person = subject === 'oid' ? { ...identity, subject: objectIdOf(idToken) } : identity;
        if (!needsGroups() || !hasOverage(idToken) || acceptance.refusalOf(person)) return person;
        return withGroups(person, await groupsFromGraph(endingWith(fetch, signal), graphUrl, accessToken));
      },
    });
  },
});

/** Microsoft lists scopes of Graph without its URL or with it, however they were requested, and compares them without case. */
const listedAs = (scope: string, graphUrl: string): string => {
  const prefix = `${graphUrl}/`;
  return (scope.startsWith(prefix) ? scope.slice(prefix.length) : scope).toLowerCase();
};

const lowerCase = (values: readonly string[]): readonly string[] => values.map((value) => value.toLowerCase());

const withIssuer = (issuer: string) => ({ issuer, internalUrl: undefined, responseMode: undefined });

/** Microsoft documents a boolean and sends it as text or number too. `email_verified` is not one of its claims and does not count. */
const isVerified = ({ xms_edov: flag }: Claims): boolean | undefined =>
  flag === undefined ? undefined : [true, 'true', 1, '1'].some((yes) => yes === flag);

/** The list of Microsoft Graph replaces the one to which the token only refers. */
function withGroups(identity: Identity, { groups, incomplete }: ListedGroups): Identity {
  const { group, ...others } = identity.incomplete ?? {};
  return {
    ...identity,
    memberships: { ...identity.memberships, group: groups },
    incomplete: { ...others, ...(incomplete && { group: incomplete }) },
  };
}
