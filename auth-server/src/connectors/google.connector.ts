/**
 * Owns sign-in with Google. The claim `hd` names the Workspace organization of an account; the domain of an e-mail address proves no
 * membership, because anybody may have a Google account for an address of any provider.
 */

import { textsAt } from '@mcp-oauth/shared/claim-path';
import { optional } from '@mcp-oauth/shared/settings/config';
import { exactList } from '@mcp-oauth/shared/settings/types';
import { type Acceptance, defineConnector } from '../federation/connector.ts';
import { sanitized } from '../federation/failure.ts';
import { openOidc } from './oidc/open.ts';
import { NO_LOGOUT_TOKENS, rules, settingsFor, TOOLS } from './oidc/settings.ts';

const { groupsClaim, rolesClaim, logoutEndsApprovals, ...settings } = settingsFor({
  offlineAccess: { default: 'access_type' },
  issuer: { doc: 'Issuer of Google.', default: 'https://accounts.google.com', example: 'https://accounts.google.com' },
});

export default defineConnector({
  type: 'google',
  title: 'Google',
  tools: TOOLS,
  settings: {
    ...settings,
    hostedDomain: optional({
      env: 'HOSTED_DOMAIN',
      doc: 'Domains of Google Workspace: only their accounts are offered by Google and accepted here. Not set: every Google account, and rules decide.',
      type: exactList(),
      example: 'example.com',
    }),
  },
  lacks: NO_LOGOUT_TOKENS,
  ruleTypes: ['domain', 'email', 'subject', 'claim'],
  rules: (values) => rules({ ...values, ...NO_MEMBERSHIPS }),
  acceptance: ({ hostedDomain }) => hostedDomain && accountsOf(lowerCase(hostedDomain)),
  open: ({ hostedDomain, ...values }, context) => {
    const accepted = hostedDomain && lowerCase(hostedDomain);
    return openOidc({ ...values, ...NO_MEMBERSHIPS }, context, {
      // Google takes one domain, or * for any Workspace account.
      parameters: accepted && { hd: accepted.length === 1 ? String(accepted[0]) : '*' },
      tools: { parameters: { include_granted_scopes: 'true' }, listedAs, revokesAll: true },
      refine: (identity, { idToken }) => ({ ...identity, domains: lowerCase(textsAt(idToken, 'hd')) }),
    });
  },
});

const lowerCase = (values: readonly string[]): readonly string[] => values.map((value) => value.toLowerCase());

/** Google docs, "OAuth 2.0 Scopes": it lists the scopes of OpenID under other names. */
const listedAs = (scope: string): string =>
  scope === 'email' || scope === 'profile' ? `https://www.googleapis.com/auth/userinfo.${scope}` : scope;

/** Groups are in the Directory API of Workspace alone, which needs rights of an administrator. */
const NO_MEMBERSHIPS = { groupsClaim: '', rolesClaim: '' };

/** The parameter `hd` only arranges the page of Google; the claim of the id token decides. */
const accountsOf = (accepted: readonly string[]): Acceptance => ({
  env: 'HOSTED_DOMAIN',
  named: accepted,
  needs: ['domain'],
  refusalOf: ({ domains = [] }) =>
    domains.some((domain) => accepted.includes(domain))
      ? undefined
      : `HOSTED_DOMAIN does not name the domain of this account: ${sanitized(domains.join(', ')) || 'none'}`,
});
