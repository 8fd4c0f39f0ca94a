/** Owns what `configure` tells an operator about each kind of identity provider: the page to open, what to enter, and what to copy. */

export interface ProviderGuide {
  /** The page of the vendor on which an application is registered. */
  readonly page: string;
  /** What to do there. `{callback}` is replaced by the redirect URI. */
  readonly steps: readonly string[];
  /** Settings to ask for beside those without a default, named without the prefix. */
  readonly asks: readonly string[];
  /** Secrets of several lines, for which a person at a terminal gives the path of a file. */
  readonly inFiles?: readonly string[] | undefined;
  /** An example of the rule that says who may come in. */
  readonly rule: string;
}

const REDIRECT = 'Enter the redirect URI {callback}';

export const GUIDES: Readonly<Record<string, ProviderGuide>> = {
  oidc: {
    page: 'the administration of your OpenID provider',
    steps: [
      'Register a confidential web application for the authorization code flow.',
      REDIRECT,
      'For rules by group: let it put the groups into the id token or into userinfo.',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'domain:example.com',
  },
  github: {
    page: 'https://github.com/settings/developers (for an organization: its settings, Developer settings, OAuth Apps)',
    steps: [
      'New OAuth App.',
      'Authorization callback URL: {callback}',
      'Generate a new client secret.',
      'For rules by organization: an owner opens its settings, Third-party Access, OAuth app policy, and approves the app.',
    ],
    asks: [],
    rule: 'org:acme',
  },
  google: {
    page: 'https://console.cloud.google.com/auth/clients',
    steps: ['Create client, application type Web application.', 'Authorized redirect URIs: {callback}'],
    asks: ['CLIENT_SECRET', 'HOSTED_DOMAIN'],
    rule: 'domain:example.com',
  },
  entra: {
    page: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
    steps: [
      'New registration; redirect URI of the platform Web: {callback}',
      'Certificates & secrets: New client secret; copy its value.',
      'For rules by group: Token configuration, Add groups claim, Security groups; the rule names the object id.',
      'For rules by e-mail: Token configuration, Add optional claim, ID, xms_edov and email.',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'group:<object id of the group>',
  },
  keycloak: {
    page: 'the administration console of Keycloak: the realm, Clients',
    steps: [
      'Create client, OpenID Connect; Client authentication on; Standard flow.',
      'Valid redirect URIs: {callback}',
      'For rules by role: realm, Client scopes, roles, Mappers, realm roles: Add to ID token on.',
      'For rules by group: Client scopes, the dedicated scope, Add mapper, Group Membership, claim name groups, Add to ID token on; the rule names the full path, such as group:/staff/ops.',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'role:mcp-user',
  },
  auth0: {
    page: 'https://manage.auth0.com, Applications',
    steps: [
      'Create Application, Regular Web Applications.',
      'Allowed Callback URLs: {callback}',
      'Advanced Settings, Grant Types: also Refresh Token.',
      'For rules by role: an Action of the trigger post-login that sets the claim <NAMESPACE>/roles in the id token.',
    ],
    asks: ['CLIENT_SECRET', 'NAMESPACE'],
    rule: 'domain:example.com',
  },
  okta: {
    page: 'the Okta Admin Console: Applications, Create App Integration',
    steps: [
      'OIDC - OpenID Connect, Web Application; grant type: also Refresh Token.',
      'Sign-in redirect URIs: {callback}',
      'For rules by group: the app, Sign On, OpenID Connect ID Token, Groups claim filter: groups, Matches regex, .* (with a custom authorization server: Security, API, the server, Claims, Add Claim: groups, ID Token, Always, Groups).',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'group:mcp-users',
  },
  cognito: {
    page: 'https://console.aws.amazon.com/cognito, the user pool, App clients',
    steps: [
      'Create app client with a client secret, Traditional web application.',
      'Login pages: Allowed callback URLs {callback}; grant type Authorization code; scopes openid, email, profile.',
      'For rules by group: the user pool, Groups, Create group, and add people.',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'group:mcp-users',
  },
  apple: {
    page: 'https://developer.apple.com/account/resources/identifiers',
    steps: [
      'Register an App ID with Sign in with Apple, then a Services ID: its identifier is the client id.',
      'Configure Sign in with Apple of the Services ID; Return URLs: {callback}',
      'Keys: make a key for Sign in with Apple and download it.',
    ],
    asks: [],
    inFiles: ['PRIVATE_KEY'],
    rule: 'email:alice@example.com',
  },
  gitlab: {
    page: 'https://gitlab.com/-/user_settings/applications (for a group: its settings, Applications)',
    steps: [
      'Add new application, Confidential, scopes openid, profile and email.',
      'Redirect URI: {callback}',
      'For rules by group: nothing to set up; the rule names the full path.',
    ],
    asks: ['CLIENT_SECRET'],
    rule: 'group:acme/platform',
  },
};

/** The guide of a kind that was added by a file of the operator is the general one. */
export const guideOf = (type: string): ProviderGuide => GUIDES[type] ?? (GUIDES.oidc as ProviderGuide);
