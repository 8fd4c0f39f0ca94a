/** Owns a sign-in in a test at an OpenID provider that the settings of the server name as the connector `acme`. */
import { expect } from 'vitest';
import { Browser } from './browser.ts';
import { authorizePath, redeem, register } from './client.ts';
import type { Play } from './oidc-stand-in.ts';
import { type RunningServer, read, type ServerOptions, startServer } from './running-server.ts';

/** Settings of a connector of the kind `oidc`, which lets everybody in. */
export const oidcAt = ({ issuer }: Play) => ({
  CONNECTORS: 'acme',
  CONNECTOR_ACME_TYPE: 'oidc',
  CONNECTOR_ACME_NAME: 'Acme',
  CONNECTOR_ACME_ISSUER: issuer,
  CONNECTOR_ACME_CLIENT_ID: 'client',
  CONNECTOR_ACME_CLIENT_SECRET: 'a secret',
  CONNECTOR_ACME_ALLOW: 'anyone',
});

export const serve = (env: ServerOptions['env'], options: ServerOptions = {}) =>
  startServer({ fetch, connectors: 'configured', env: { ...env, NODE_ENV: 'development' }, ...options });

/** From the request of the app through the provider and back: to a page, or to the app. */
export async function signIn(server: RunningServer, upstream: Play, parameters: Readonly<Record<string, string>> = {}) {
  const app = await register(server);
  const browser = new Browser(server);
  const { page } = await browser.follow(authorizePath(app, parameters));
  const { outside } = await browser.submit(page, 'approve', { connector: 'acme' });
  const back = await upstream.signIn(outside ?? expect.unreachable());
  return { app, browser, ...(await browser.follow(`/callback/acme${back.search}`)) };
}

export async function tokensOf(...asked: Parameters<typeof signIn>) {
  const [server] = asked;
  const { app, outside } = await signIn(...asked);
  return { app, tokens: await read(await redeem(server, app, outside?.searchParams.get('code') ?? '')) };
}
