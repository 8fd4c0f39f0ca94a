/** Owns sign-in with GitLab, hosted or self-managed, which lists groups at userinfo only. */
import { defineConnector, type Identity } from '../federation/connector.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor, TOOLS } from './oidc/settings.ts';

const { logoutEndsApprovals, ...settings } = settingsFor({
  offlineAccess: { doc: 'Leave it off: GitLab sends a refresh token without being asked.' },
  issuer: { doc: 'URL of GitLab.', default: 'https://gitlab.com', example: 'https://gitlab.example.com' },
});

export default defineConnector({
  type: 'gitlab',
  title: 'GitLab',
  tools: TOOLS,
  settings,
  lacks: NO_LOGOUT_TOKENS,
  caseInsensitive: ['group'],
  rules,
  // GitLab has no choice of accounts, and signs the person out instead.
  open: (values, context) =>
    openOidc(values, context, { accountPrompt: 'login', usernameClaim: 'nickname', refine: inLowerCase }),
});

/** GitLab compares the paths of groups without case. */
function inLowerCase(identity: Identity): Identity {
  const group = identity.memberships?.group?.map((path) => path.toLowerCase());
  return { ...identity, memberships: { ...identity.memberships, ...(group && { group }) } };
}
