/**
 * Owns sign-in with Apple: the answer is a form, the name comes with the first sign-in only, and the client secret is a JWT that this
 * server signs anew for each request.
 */
import { systemClock } from '@mcp-oauth/shared/clock';
import { setting } from '@mcp-oauth/shared/settings/config';
import { text } from '@mcp-oauth/shared/settings/types';
import { defineConnector } from '../federation/connector.ts';
import { clientSecretJwt, privateKey } from './apple/client-secret.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor } from './oidc/settings.ts';

const {
  clientSecret,
  clientAuth,
  responseMode,
  offlineAccess,
  groupsClaim,
  rolesClaim,
  logoutEndsApprovals,
  ...settings
} = settingsFor({
  issuer: { doc: 'Issuer of Apple.', default: 'https://appleid.apple.com', example: 'https://appleid.apple.com' },
  clientId: { doc: 'Identifier of the Services ID.', example: 'com.example.mcp' },
  scopes: { default: 'openid name email' },
});

/** What Apple leaves no choice about. */
const FIXED = {
  clientSecret: undefined,
  clientAuth: 'none',
  responseMode: 'form_post',
  // Apple sends a refresh token without being asked.
  offlineAccess: 'off',
  groupsClaim: '',
  rolesClaim: '',
} as const;

export default defineConnector({
  type: 'apple',
  title: 'Apple',
  settings: {
    ...settings,
    teamId: setting({ env: 'TEAM_ID', doc: 'Id of the team: ten characters.', type: text(), example: 'A1B2C3D4E5' }),
    keyId: setting({
      env: 'KEY_ID',
      doc: 'Id of the key for Sign in with Apple.',
      type: text(),
      example: 'F6G7H8I9J0',
    }),
    privateKey: setting({
      env: 'PRIVATE_KEY',
      doc: 'The key: the content of the file AuthKey_<KEY_ID>.p8.',
      type: privateKey(),
      secret: true,
    }),
  },
  lacks: NO_LOGOUT_TOKENS,
  ruleTypes: ['domain', 'email', 'subject', 'claim'],
  rules: (values) => rules({ ...values, ...FIXED }),
  open: ({ teamId, keyId, privateKey, ...values }, context) => {
    const { clientId, issuer } = values;
    const secret = clientSecretJwt(
      { teamId, keyId, privateKey, clientId, audience: issuer },
      context.clock ?? systemClock,
    );
    return openOidc({ ...values, ...FIXED }, context, {
      // Apple docs "Verifying a user": up to once a day.
      recheckEvery: 86_400,
      clientAuth: (_server, _client, body) => {
        body.set('client_id', clientId);
        body.set('client_secret', secret());
      },
    });
  },
});
