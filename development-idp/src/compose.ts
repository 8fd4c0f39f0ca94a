/** Owns the wiring of the development IdP, from its configuration to a service. */
import { type Clock, systemClock } from '@mcp-oauth/shared/clock';
import { listenerOf } from '@mcp-oauth/shared/http/connections';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import type { Service } from '@mcp-oauth/shared/service';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { createApp } from './app.ts';
import { policyOf, readConfig } from './config.ts';
import { createProvider } from './provider.ts';

/** @param overrides replacements for tests */
export async function compose(
  env: Environment,
  overrides: { readonly log?: Logger; readonly clock?: Clock } = {},
): Promise<Service> {
  const config = readConfig(env);
  const { url, issuer, host, port, maxHeaderSize, logLevel, shutdownTimeout, shutdownLinger } = config;
  const log = overrides.log ?? createLogger('development-idp', logLevel);
  const callbackUrl = `${issuer}/callback/development`;
  const clock = overrides.clock ?? systemClock;
  const provider = await createProvider({ url, callbackUrl, clock, enterprise: policyOf(config) });
  let ready = true;
  return {
    log,
    handler: listenerOf(createApp({ url, provider, log, ready: () => ready })),
    listen: {
      host,
      port: port ?? portOf(url),
      setting: port === undefined ? 'DEVELOPMENT_IDP_URL' : 'PORT',
      maxHeaderSize,
    },
    url,
    shutdownTimeout,
    shutdownLinger,
    drain: () => {
      ready = false;
    },
    close: async () => {},
  };
}

const portOf = (url: string): number => {
  const { port, protocol } = new URL(url);
  return Number(port || (protocol === 'https:' ? 443 : 80));
};
