/** Owns every setting of the development IdP, and the rule that it never runs in production. */
import { type Environment, loadConfig, optional, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { list, origin, ownIssuer, port, text } from '@mcp-oauth/shared/settings/types';
import type { Policy } from './enterprise/policy.ts';

export const settings = {
  url: setting({
    env: 'DEVELOPMENT_IDP_URL',
    doc: 'URL at which browsers reach the development IdP. It is also its issuer, whatever host a request names.',
    type: origin(),
    default: 'http://localhost:9001',
  }),
  port: optional({
    env: 'PORT',
    doc: 'Port to listen on. Not set: the port of DEVELOPMENT_IDP_URL.',
    type: port(),
  }),
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the auth-server that uses the development IdP for sign-in.',
    type: ownIssuer(),
    default: 'http://localhost:9000',
  }),
  enterpriseServers: optional({
    env: 'DEVELOPMENT_IDP_ENTERPRISE_SERVERS',
    doc: 'Enterprise-managed authorization: MCP servers, by the identifiers in their metadata, for which the development IdP issues ID-JAGs to its client `mcp-client`, with ISSUER as their authorization server. Not set: it issues none.',
    type: list(),
    example: 'http://localhost:8080/mcp',
  }),
  enterpriseScopes: setting({
    env: 'DEVELOPMENT_IDP_ENTERPRISE_SCOPES',
    doc: 'The scopes that an ID-JAG of the development IdP may have.',
    type: list(),
    default: 'mcp:tools',
  }),
  enterprisePeople: setting({
    env: 'DEVELOPMENT_IDP_ENTERPRISE_PEOPLE',
    doc: 'The people for whom the development IdP issues ID-JAGs.',
    type: list(),
    default: 'alice,bob',
  }),
  enterpriseClient: setting({
    env: 'DEVELOPMENT_IDP_ENTERPRISE_CLIENT',
    doc: 'The client id at auth-server of the client `mcp-client`; it is in the ID-JAGs of the development IdP.',
    type: text(),
    default: 'terminal',
  }),
  ...processSettings,
};

export type Config = Values<typeof settings>;

/** Who may get ID-JAGs for what; undefined: nobody. */
export const policyOf = (config: Config): Policy | undefined =>
  config.enterpriseServers && {
    audience: config.issuer,
    resources: config.enterpriseServers,
    scopes: config.enterpriseScopes,
    people: config.enterprisePeople,
    clientId: config.enterpriseClient,
  };

/** @throws ConfigError */
export const readConfig = (env: Environment): Config =>
  loadConfig(settings, env, ({ environment }) =>
    environment === 'production'
      ? [{ env: 'NODE_ENV', message: 'the development IdP signs anybody in, so it never runs in production' }]
      : [],
  );
