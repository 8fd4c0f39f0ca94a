/** Owns sign-in with a user pool of Amazon Cognito, whose own claims have a prefix. */
import { defineConnector } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor, TOOLS } from './oidc/settings.ts';

const { logoutEndsApprovals, ...settings } = settingsFor({
  offlineAccess: { doc: 'Leave it off: Cognito sends a refresh token without being asked.' },
  issuer: {
    doc: 'Issuer of the user pool.',
    example: 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E',
  },
  groupsClaim: { default: 'cognito:groups' },
  rolesClaim: { default: 'cognito:roles', example: 'custom:role' },
});

export default defineConnector({
  type: 'cognito',
  title: 'Cognito',
  tools: TOOLS,
  settings,
  lacks: NO_LOGOUT_TOKENS,
  rules,
  open: (values, context) => openOidc(values, context, { usernameClaim: 'cognito:username' }),
});
