/** Owns the table of the presets: each line names how the tokens of a product differ, and the page of its vendor that says so. */
import { entra } from './entra.ts';
import type { Preset } from './preset.ts';
import { githubActions, kubernetes } from './workloads.ts';

const keycloak: Preset = {
  page: 'https://www.keycloak.org/docs/latest/server_admin/#audience-support',
  defaults: {
    TOKEN_TYPES: { value: 'JWT,at+jwt', quirk: '`typ` of the header is JWT, unless the client is set to at+jwt' },
    TOKEN_CLIENT_CLAIMS: { value: 'azp,client_id', quirk: 'the client is in `azp`' },
    TOKEN_REQUIRED_CLAIMS: {
      value: 'typ=Bearer|DPoP',
      quirk: 'a claim `typ` tells access tokens (Bearer, DPoP) from ID, refresh and logout tokens',
      page: 'https://www.keycloak.org/docs-api/latest/javadocs/org/keycloak/util/TokenUtil.html',
    },
  },
};

const auth0: Preset = {
  page: 'https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles',
  defaults: {
    TOKEN_TYPES: { value: 'at+jwt,JWT', quirk: 'the profile of Auth0 writes JWT, its RFC 9068 profile at+jwt' },
    TOKEN_CLIENT_CLAIMS: { value: 'client_id,azp', quirk: 'the profile of Auth0 has the client in `azp`' },
    TOKEN_SCOPE_CLAIMS: {
      value: 'scope',
      quirk: '`permissions` are all that a person may do; `scope` is what the client was granted of it',
      page: 'https://auth0.com/docs/get-started/apis/enable-role-based-access-control-for-apis',
    },
  },
};

const ORG_SERVER =
  'tokens of the org authorization server cannot be validated by others: use a custom one, such as https://…/oauth2/default';

const okta: Preset = {
  page: 'https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/',
  defaults: {
    TOKEN_TYPES: { value: 'none,at+jwt,okta-internal-at+jwt', quirk: 'the header may have no `typ`, or one of Okta' },
    TOKEN_SUBJECT_CLAIMS: {
      value: 'uid,sub',
      quirk: '`uid` is the id of a person, and `sub` their login, which can change; a machine has only `sub`',
    },
    TOKEN_CLIENT_CLAIMS: { value: 'cid', quirk: 'the client is in `cid`, which an ID token lacks' },
    TOKEN_SCOPE_CLAIMS: { value: 'scp', quirk: 'the scopes are a list in `scp`' },
  },
  flaw: (issuer) => (new URL(issuer).pathname === '/' ? ORG_SERVER : undefined),
};

const cognito: Preset = {
  page: 'https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html',
  defaults: {
    TOKEN_TYPES: { value: 'none', quirk: 'the header has only `kid` and `alg`' },
    TOKEN_CLIENT_CLAIMS: { value: 'client_id', quirk: 'there is no `azp`' },
    TOKEN_SCOPE_CLAIMS: {
      value: 'scope',
      quirk: 'scopes of a resource server begin with its identifier: remove it with TOKEN_SCOPE_PREFIX',
    },
    TOKEN_REQUIRED_CLAIMS: { value: 'token_use=access', quirk: '`token_use` tells access tokens from ID tokens' },
    ISSUER_PKCE_METHOD: {
      value: 'S256',
      quirk: 'it does PKCE with S256, and its metadata does not say so',
      page: 'https://docs.aws.amazon.com/cognito/latest/developerguide/using-pkce-in-authorization-code.html',
    },
  },
};

const ping: Preset = {
  page: 'https://developer.pingidentity.com/pingone-api/foundations/authentication-concepts/access-tokens-and-id-tokens/token-claims.html',
  defaults: {
    TOKEN_TYPES: { value: 'at+jwt,none', quirk: 'PingOne writes at+jwt always from March 2027 on, optionally before' },
    TOKEN_SUBJECT_CLAIMS: { value: 'sub,client_id', quirk: 'a token by client credentials may have no `sub`' },
    TOKEN_CLIENT_CLAIMS: { value: 'client_id', quirk: 'the client is in `client_id`, which an ID token lacks' },
  },
};

const authentik: Preset = {
  page: 'https://docs.goauthentik.io/add-secure-apps/providers/oauth2/',
  defaults: {
    TOKEN_TYPES: { value: 'JWT,at+jwt', quirk: '`typ` is JWT' },
    TOKEN_CLIENT_CLAIMS: {
      value: 'azp',
      quirk: '`aud` is the client (name it in AUDIENCES), in ID tokens too; these lack `azp`',
      page: 'https://github.com/goauthentik/authentik/blob/main/authentik/providers/oauth2/id_token.py',
    },
  },
};

const zitadel: Preset = {
  page: 'https://zitadel.com/docs/apis/openidoauth/claims',
  defaults: {
    TOKEN_TYPES: {
      value: 'JWT,at+jwt,none',
      quirk: 'tokens are JWTs if the application is set so, without their own type',
    },
    TOKEN_CLIENT_CLAIMS: { value: 'client_id,azp', quirk: 'the client is in `client_id` or `azp`' },
    TOKEN_SCOPE_CLAIMS: {
      value: 'scope',
      quirk:
        'tokens have no scopes, but roles: name `urn:zitadel:iam:org:project:ID:roles` with the id of your project, because the claim ' +
        'without an id has the roles in the project of the client, which may be another',
      page: 'https://zitadel.com/docs/guides/integrate/retrieve-user-roles',
    },
  },
};

const authelia: Preset = {
  page: 'https://www.authelia.com/integration/openid-connect/oauth-2.0-bearer-token-usage/',
  defaults: {
    TOKEN_TYPES: {
      value: 'at+jwt',
      quirk: 'RFC 9068, if the client has `access_token_signed_response_alg`; opaque otherwise',
    },
  },
};

export const PRESETS: Readonly<Record<string, Preset>> = {
  keycloak,
  entra,
  auth0,
  okta,
  cognito,
  ping,
  authentik,
  zitadel,
  authelia,
  'github-actions': githubActions,
  kubernetes,
};
