/** Owns sign-in with Okta: the org authorization server sends groups for a scope, a custom one for a claim that is set up there. */
import { defineConnector } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor, TOOLS } from './oidc/settings.ts';

const { logoutEndsApprovals, ...settings } = settingsFor({
  offlineAccess: { default: 'scope' },
  issuer: {
    doc: 'Issuer of the authorization server: the URL of the org, or of a custom authorization server.',
    example: 'https://acme.okta.com/oauth2/default',
  },
});

export default defineConnector({
  type: 'okta',
  title: 'Okta',
  tools: TOOLS,
  settings,
  lacks: NO_LOGOUT_TOKENS,
  rules,
  open: (values, context) => {
    const isOrgServer = !/\/oauth2\/[^/]+$/.test(values.issuer);
    const scopes = () => (isOrgServer && context.needs?.has('group') ? ['groups'] : []);
    // Okta takes none, login and consent only.
    return openOidc(values, context, { accountPrompt: 'login', scopes });
  },
});
