/** Owns sign-in with a realm of Keycloak, whose roles are a list inside a claim. */
import { defineConnector } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { rules, settingsFor, TOOLS } from './oidc/settings.ts';

export default defineConnector({
  type: 'keycloak',
  title: 'Keycloak',
  tools: TOOLS,
  settings: settingsFor({
    offlineAccess: { default: 'scope' },
    issuer: { doc: 'URL of the realm.', example: 'https://keycloak.example.com/realms/staff' },
    rolesClaim: {
      doc: 'Path of the claim with the roles of a person; roles of one client are in `resource_access.<client>.roles`.',
      default: 'realm_access.roles',
      example: 'resource_access.mcp.roles',
    },
  }),
  rules,
  // Keycloak has no choice of accounts, and asks for a password instead.
  open: (values, context) => openOidc(values, context, { accountPrompt: 'login' }),
});
