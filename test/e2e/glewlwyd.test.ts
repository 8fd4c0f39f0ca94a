/**
 * Proves, in a real Chromium and with a real OpenID provider that is not ours, Glewlwyd, that its logout tokens end the session here, and
 * that its refresh tokens, which are good for one use and bring no id token, are used at re-checks.
 */
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useBrowser } from '../support/browser.ts';
import { OAuthClient, REDIRECT_URI } from '../support/oauth-client.ts';
import { Stack } from '../support/stack.ts';
import { ALICE, CLIENT, Glewlwyd, hasGlewlwyd, NEEDS_GLEWLWYD } from './glewlwyd.ts';

const LONG = { timeout: 60_000, interval: 250 };

describe('Glewlwyd as the identity provider', () => {
  let provider: Glewlwyd;
  let stack: Stack;

  beforeAll(async () => {
    if (!hasGlewlwyd) return;
    const ports = await freePorts(3);
    provider = await Glewlwyd.start(`http://localhost:${ports[1]}`);
    const env = {
      CONNECTORS: 'acme',
      CONNECTOR_ACME_TYPE: 'oidc',
      CONNECTOR_ACME_ISSUER: provider.issuer,
      CONNECTOR_ACME_CLIENT_ID: CLIENT.id,
      CONNECTOR_ACME_CLIENT_SECRET: CLIENT.secret,
      CONNECTOR_ACME_ALLOW: 'anyone',
      UPSTREAM_RECHECK: '1s',
      UPSTREAM_GRACE: '1s',
    };
    stack = await Stack.start(env, ports);
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    await provider?.[Symbol.asyncDispose]();
  });
  beforeEach((context) => context.skip(!hasGlewlwyd, NEEDS_GLEWLWYD));
  const browser = useBrowser();

  /** @returns a refresh that takes over the new refresh token, with its status */
  async function signedIn(context: BrowserContext): Promise<() => Promise<number>> {
    const client = await OAuthClient.register(stack);
    const page = await context.newPage();
    const answer = page.waitForRequest((request) => request.url().startsWith(REDIRECT_URI));
    answer.catch(() => {});
    await page.goto(client.authorizationUrl().href);
    await page.getByRole('button', { name: /^Continue with/ }).click();
    await page.locator('#username').fill(ALICE.username);
    await page.locator('#password').fill(ALICE.password);
    await page.getByRole('button', { name: 'OK' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    const code = new URL((await answer).url()).searchParams.get('code') ?? '';
    let token = String((await client.redeem(code)).json.refresh_token);
    await page.close();
    return async () => {
      const { status, json } = await client.refresh(token);
      if (status === 200) token = String(json.refresh_token);
      return status;
    };
  }

  it('OpenID Connect Back-Channel Logout 1.0 §2.6 its logout token ends the session of the browser here', async () => {
    const context = await browser().newContext();
    await signedIn(context);
    const page = await context.newPage();
    await page.goto(`${stack.authUrl}/logout`);
    await page.getByText('you are signed in as Alice').waitFor();
    await page.goto(await provider.logoutPage(context));
    await page.getByRole('button', { name: 'Logout' }).click();
    await page.getByText('You are disconnected').waitFor();
    await expect
      .poll(() => page.goto(`${stack.authUrl}/logout`).then(() => page.title()), LONG)
      .toMatch(/not signed in/);
    await context.close();
  });

  it('RFC 9700 §4.14.2 one-time refresh tokens are used one after the other, until the account is deleted there', async () => {
    const context = await browser().newContext();
    const refresh = await signedIn(context);
    const before = provider.refreshes();
    await expect.poll(async () => [await refresh(), provider.refreshes() >= before + 3], LONG).toEqual([200, true]);
    await provider.ask('DELETE', `/user/${ALICE.username}`);
    await expect.poll(refresh, LONG).toBe(400);
    await context.close();
  });
});
