/** Proves that a logout at a real OpenID provider, which is not ours, ends the session here that came from it, and no other. */
import { expect, it } from 'vitest';
import { Browser } from '../../support/browser.ts';
import { authorizePath, register } from '../../support/client.ts';
import { startLogoutProvider } from '../../support/logout-provider.ts';
import { open } from '../../support/oidc-stand-in.ts';
import { ISSUER, type RunningServer, startServer } from '../../support/running-server.ts';

it('OpenID Connect Back-Channel Logout §2.5 a sign-out at oidc-provider ends the session of that browser', async () => {
  const callbackUrl = `${ISSUER}/callback/acme`;
  let running: RunningServer | undefined;
  await using provider = await startLogoutProvider(callbackUrl, async (path, init) => {
    return running ? running.fetch(path, init) : new Response(null, { status: 503 });
  });
  await using server = await startServer({
    connectors: (acme) => [{ ...acme, connector: open(provider.issuer, {}, { callbackUrl }) }],
  });
  running = server;
  const client = await register(server);
  const isSignedIn = async (browser: Browser) =>
    (await browser.follow(authorizePath(client))).outside?.searchParams.has('code') ?? false;
  const signIn = async () => {
    const [here, there] = [new Browser(server), provider.browser()];
    const { page } = await here.follow(authorizePath(client));
    const { outside: upstream } = await here.submit(page, 'approve', { connector: 'acme' });
    const { outside: callback } = await there.follow(upstream?.href ?? '');
    await here.follow(callback?.href ?? '');
    return { here, there };
  };
  const [work, home] = [await signIn(), await signIn()];
  expect([await isSignedIn(work.here), await isSignedIn(home.here)]).toEqual([true, true]);
  await provider.signOut(work.there);
  expect(provider.reported()).toBe(1);
  expect([await isSignedIn(work.here), await isSignedIn(home.here)]).toEqual([false, true]);
});
