/** Owns the settings of sign-in with an OpenID provider, and the rules between them. */
import { plainHttpOutside } from '@mcp-oauth/shared/network/internal-host';
import { optional, type Problem, type Setting, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { duration, flag, oneOf, text, url } from '@mcp-oauth/shared/settings/types';
import { httpsOnly } from '../../federation/upstream/https-only.ts';

export const settings = {
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the OpenID provider. Its metadata is read from the well-known path under this URL.',
    type: url(),
    example: 'https://id.example.com',
  }),
  internalUrl: optional({
    env: 'INTERNAL_URL',
    doc: 'URL at which this server reaches the OpenID provider, if it differs from the URL for browsers. Metadata, keys, tokens and userinfo are requested here instead of at ISSUER, which stays the issuer. Plain http is accepted inside the network only.',
    type: url(),
    example: 'http://keycloak:8080/realms/staff',
  }),
  clientId: setting({
    env: 'CLIENT_ID',
    doc: 'Client id that the OpenID provider issued to this server.',
    type: text(),
  }),
  clientSecret: optional({
    env: 'CLIENT_SECRET',
    doc: 'Client secret that the OpenID provider issued to this server. Required unless CLIENT_AUTH is none.',
    type: text(),
    secret: true,
  }),
  clientAuth: setting({
    env: 'CLIENT_AUTH',
    doc: 'How the client secret is sent: client_secret_basic, client_secret_post (for providers that do not decode the Basic header) or none.',
    type: oneOf('client_secret_basic', 'client_secret_post', 'none'),
    default: 'client_secret_basic',
  }),
  scopes: setting({
    env: 'SCOPES',
    doc: 'Scopes to request, separated by spaces. Must contain openid.',
    type: text(),
    default: 'openid profile email',
  }),
  offlineAccess: setting({
    env: 'OFFLINE_ACCESS',
    doc: 'How a refresh token is requested, with which the OpenID provider can be asked again whether a person still has access: `scope` adds offline_access to SCOPES, `consent` also adds prompt=consent for a provider that otherwise ignores offline_access (the person is asked there at each sign-in), `access_type` adds access_type=offline to the request (Google), `off` requests none.',
    type: oneOf('off', 'scope', 'consent', 'access_type'),
    default: 'off',
  }),
  groupsClaim: setting({
    env: 'GROUPS_CLAIM',
    doc: 'Path of the claim with the groups of a person: names of members with a dot between them. A claim whose own name has dots, such as `https://example.com/groups`, is found too.',
    type: text(),
    default: 'groups',
  }),
  rolesClaim: setting({
    env: 'ROLES_CLAIM',
    doc: 'Path of the claim with the roles of a person.',
    type: text(),
    default: 'roles',
    example: 'realm_access.roles',
  }),
  responseMode: optional({
    env: 'RESPONSE_MODE',
    doc: 'How the OpenID provider sends its answer: query or form_post. Not set: the default of the provider.',
    type: oneOf('query', 'form_post'),
    example: 'form_post',
  }),
  logoutEndsApprovals: setting({
    env: 'LOGOUT_ENDS_APPROVALS',
    doc: 'Whether a person who signs out at the OpenID provider also loses the approvals that they gave here, so that their clients must ask them again. The OpenID provider reports it by a logout token to `/backchannel-logout/<id>`, which names the person (`sub`) or a session with which they signed in here (`sid`). Without this setting a logout token ends browser sessions only.',
    type: flag(),
    default: 'false',
  }),
  timeout: setting({
    env: 'TIMEOUT',
    doc: 'Maximum time that the OpenID provider may take for one answer.',
    type: duration(1, 60),
    default: '10s',
  }),
};
/** Without `logoutEndsApprovals` the provider is one that sends no logout tokens. */
export type OidcSettings = Omit<Values<typeof settings>, 'logoutEndsApprovals'> &
  Partial<Pick<Values<typeof settings>, 'logoutEndsApprovals'>>;

/** For kinds whose tokens can be used at an API. Those of a sign-in alone are good for nothing there. */
export const TOOLS = { needsScopes: true };

/** For kinds without `logoutEndsApprovals`. */
export const NO_LOGOUT_TOKENS = { LOGOUT_ENDS_APPROVALS: 'its provider sends no logout tokens' };

type Change = Partial<Pick<Setting<unknown>, 'doc' | 'default' | 'example'>>;

/** The settings of a preset: other defaults and words, the same variables. */
export const settingsFor = (changes: Partial<Record<keyof typeof settings, Change>>): typeof settings =>
  Object.fromEntries(
    Object.entries(settings).map(([name, declared]) => [
      name,
      { ...declared, ...changes[name as keyof typeof settings] },
    ]),
  ) as typeof settings;

export function rules({ issuer, internalUrl, clientAuth, clientSecret, scopes }: OidcSettings): readonly Problem[] {
  const problems: Problem[] = [...httpsOnly({ ISSUER: issuer })];
  const refuse = (env: string, message: string) => problems.push({ env, message });
  const outside = plainHttpOutside(internalUrl);
  if (outside) refuse('INTERNAL_URL', outside);
  if (clientAuth !== 'none' && clientSecret === undefined) {
    refuse('CLIENT_SECRET', 'is required but not set (or set CLIENT_AUTH to none)');
  }
  if (!scopes.split(' ').includes('openid')) refuse('SCOPES', `must contain openid (got "${scopes}")`);
  return problems;
}
