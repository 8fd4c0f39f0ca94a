/** Owns every setting of the development IdP, and the rule that it never runs in production. */
import { type Environment, loadConfig, optional, setting, type Values } from '@mcp-oauth/shared/config';
import { oneOf, origin, text } from '@mcp-oauth/shared/setting-types';

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
    type: origin(),
    default: 'http://localhost:9000',
  }),
  host: optional({ env: 'HOST', doc: 'Address to listen on. Not set: loopback only.', type: text() }),
  logLevel: setting({
    env: 'LOG_LEVEL',
    doc: 'What is logged: everything from this level up.',
    type: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
  }),
  environment: setting({
    env: 'NODE_ENV',
    doc: 'In production the development IdP refuses to start.',
    type: text(),
    default: 'development',
  }),
};

export type Config = Values<typeof settings>;

/** @throws ConfigError */
export const readConfig = (env: Environment): Config =>
  loadConfig(settings, env, ({ environment }) =>
    environment === 'production'
      ? [{ env: 'NODE_ENV', message: 'the development IdP signs anybody in, so it never runs in production' }]
      : [],
  );
