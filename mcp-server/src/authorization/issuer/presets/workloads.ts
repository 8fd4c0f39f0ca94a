/** Owns the presets of issuers that identify programs, not people: jobs of GitHub Actions and pods of Kubernetes. */
import type { Preset } from './preset.ts';

const NOT_ANNOUNCED = { value: 'false', quirk: 'clients cannot sign in there' };
const NO_CLIENT = { value: 'none', quirk: 'tokens name no client' };

export const githubActions: Preset = {
  page: 'https://docs.github.com/en/actions/reference/security/oidc',
  defaults: {
    ISSUER: { value: 'https://token.actions.githubusercontent.com', quirk: 'one issuer for everybody on github.com' },
    ISSUER_ANNOUNCED: NOT_ANNOUNCED,
    TOKEN_TYPES: { value: 'JWT', quirk: '`typ` is JWT' },
    TOKEN_CLIENT_CLAIMS: NO_CLIENT,
    TOKEN_SCOPE_CLAIMS: {
      value: 'repository',
      quirk: 'tokens have no scopes: TOKEN_SCOPE_MAP gives some to a repository (`acme/tools=mcp:tools`)',
    },
  },
  // Names of organisations and repositories can be taken by others after a rename, ids cannot.
  organisation: () => ['repository_owner_id', 'repository_id', 'enterprise_id', 'sub'],
};

export const kubernetes: Preset = {
  page: 'https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/',
  defaults: {
    ISSUER_ANNOUNCED: NOT_ANNOUNCED,
    TOKEN_TYPES: { value: 'none', quirk: 'the header has only `alg` and `kid`' },
    TOKEN_CLIENT_CLAIMS: NO_CLIENT,
    TOKEN_SCOPE_CLAIMS: {
      value: 'sub',
      quirk:
        'tokens have no scopes: TOKEN_SCOPE_MAP gives some to service accounts (`system:serviceaccount:ci:*=mcp:tools`)',
    },
  },
};
