/** Owns every setting of the development IdP, and the rule that it never runs in production. */
import { type Environment, loadConfig, setting, type Values } from '@mcp-oauth/shared/config';
import { processSettings } from '@mcp-oauth/shared/process-settings';
import { origin, ownIssuer } from '@mcp-oauth/shared/setting-types';

export const settings = {
  url: setting({
    env: 'DEVELOPMENT_IDP_URL',
    doc: 'Where the development IdP is reached; it listens at the port of this URL.',
    type: origin(),
    default: 'http://localhost:9001',
  }),
  issuer: setting({
    env: 'ISSUER',
    doc: 'Issuer of the auth-server that signs people in here.',
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
