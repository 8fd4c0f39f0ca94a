/** Owns every setting of the development IdP, and the rule that it never runs in production. */
import { type Environment, loadConfig, optional, setting, type Values } from '@mcp-oauth/shared/settings/config';
import { processSettings } from '@mcp-oauth/shared/settings/process';
import { origin, ownIssuer, port } from '@mcp-oauth/shared/settings/types';

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
  ...processSettings,
};

export type Config = Values<typeof settings>;

/** @throws ConfigError */
export const readConfig = (env: Environment): Config =>
  loadConfig(settings, env, ({ environment }) =>
    environment === 'production'
      ? [{ env: 'NODE_ENV', message: 'the development IdP signs anybody in, so it never runs in production' }]
      : [],
  );
