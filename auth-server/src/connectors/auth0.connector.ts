/** Owns sign-in with Auth0, where groups and roles are claims with a namespace, and a person may come as a member of an organization. */

import { textsAt, unreadAt } from '@mcp-oauth/shared/claim-path';
import { optional } from '@mcp-oauth/shared/settings/config';
import { url } from '@mcp-oauth/shared/settings/types';
import { defineConnector, type Identity } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { rules, settingsFor, TOOLS } from './oidc/settings.ts';

export default defineConnector({
  type: 'auth0',
  title: 'Auth0',
  tools: TOOLS,
  settings: {
    ...settingsFor({
      offlineAccess: { default: 'scope' },
      issuer: { doc: 'URL of the tenant, or its custom domain.', example: 'https://acme.eu.auth0.com' },
    }),
    namespace: optional({
      env: 'NAMESPACE',
      doc: 'Namespace of the claims that an Action adds: GROUPS_CLAIM and ROLES_CLAIM are then read as `<namespace>/groups` and `<namespace>/roles`.',
      type: url(),
      example: 'https://mcp.example.com',
    }),
  },
  ruleTypes: ['domain', 'email', 'subject', 'group', 'role', 'org', 'claim'],
  rules: (values) => rules(values),
  open: (values, context) => {
    const named = (claim: string) => (values.namespace ? `${values.namespace}/${claim}` : claim);
    const paths = { groupsClaim: named(values.groupsClaim), rolesClaim: named(values.rolesClaim) };
    return openOidc({ ...values, ...paths }, context, {
      accountPrompt: 'login',
      refine: (identity, { idToken }) => withOrganization(identity, idToken),
    });
  },
});

/** Only the id token names the organization of this sign-in. */
function withOrganization(identity: Identity, idToken: object): Identity {
  const [names, ids] = [textsAt(idToken, 'org_name'), textsAt(idToken, 'org_id')];
  const unread = unreadAt(idToken, 'org_name') ?? unreadAt(idToken, 'org_id');
  const read = {
    ...identity,
    memberships: { ...identity.memberships, org: [...names, ...ids] },
    ...(unread && { incomplete: { ...identity.incomplete, org: unread } }),
  };
  // A token names one organization; anything else is nothing that we know.
  if (names.length > 1 || ids.length > 1) return read;
  const [[name], [id]] = [names, ids];
  const only = id ?? name;
  return { ...read, organizations: only === undefined ? [] : [{ id: only, name }] };
}
