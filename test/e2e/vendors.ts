/** Owns the people whom each vendor of identity providers signs in for a test: one whom the rule allows, and one who looks like them. */
import { appleKey, TENANT } from '../../auth-server/test/support/vendors.ts';

type Claims = Readonly<Record<string, unknown>>;

export interface Person {
  readonly idToken?: Claims;
  readonly userInfo?: Claims;
}

export interface Vendor {
  /** Settings of the connector besides its client. @param url of the provider */
  readonly env: (url: string) => Readonly<Record<string, string>>;
  /** The path of the issuer. */
  readonly path?: string;
  readonly allowed: Person;
  readonly refused: Person;
}

const atIssuer = (more: Readonly<Record<string, string>>) => (url: string) => ({ ISSUER: url, ...more });
const victim = 'alice@example.com';

export const VENDORS: Readonly<Record<string, Vendor>> = {
  apple: {
    env: atIssuer({ TEAM_ID: 'TEAM', KEY_ID: 'KEY', PRIVATE_KEY: appleKey.pem, ALLOW: `email:${victim}` }),
    allowed: { idToken: { email: victim, email_verified: 'true' } },
    refused: { idToken: { email: victim, email_verified: 'false' } },
  },
  auth0: {
    env: atIssuer({ NAMESPACE: 'https://mcp.example.com', ALLOW: 'role:mcp-user' }),
    allowed: { idToken: { 'https://mcp.example.com/roles': ['mcp-user'] } },
    refused: { idToken: { roles: ['mcp-user'] } },
  },
  cognito: {
    env: atIssuer({ ALLOW: 'group:mcp-users' }),
    allowed: { idToken: { 'cognito:groups': ['mcp-users'] } },
    refused: { idToken: { 'cognito:username': 'mcp-users', 'custom:groups': ['mcp-users'] } },
  },
  entra: {
    path: `/${TENANT}/v2.0`,
    env: (url) => ({ TENANT, AUTHORITY: url, GRAPH_URL: url, ALLOW: 'domain:example.com, group:of-graph' }),
    allowed: { idToken: { tid: TENANT, email: victim, xms_edov: true } },
    refused: { idToken: { tid: TENANT, email: victim, email_verified: true, preferred_username: victim } },
  },
  gitlab: {
    env: atIssuer({ ALLOW: 'group:acme/platform' }),
    allowed: { userInfo: { groups: ['Acme', 'Acme/Platform'] } },
    refused: { userInfo: { groups: ['acme', 'acme/platform-guests'] } },
  },
  google: {
    env: atIssuer({ ALLOW: 'domain:example.com' }),
    allowed: { idToken: { hd: 'example.com', email: victim, email_verified: true } },
    refused: { idToken: { email: victim, email_verified: true } },
  },
  keycloak: {
    env: atIssuer({ ALLOW: 'role:mcp-user' }),
    allowed: { idToken: { realm_access: { roles: ['offline_access', 'mcp-user'] } } },
    refused: { idToken: { realm_access: { roles: 'offline_access mcp-user' } } },
  },
  okta: {
    env: atIssuer({ ALLOW: 'group:MCP users' }),
    allowed: { idToken: { groups: ['Everyone', 'MCP users'] } },
    refused: { idToken: { groups: ['Everyone', 'MCP users (former)'] } },
  },
};
