/**
 * Owns a real OpenID provider (oidc-provider) in a test that keeps sessions, and reports their end to the clients: OpenID Connect
 * Back-Channel Logout 1.0 and RP-Initiated Logout 1.0 from the other side. Everybody who comes signs in as the same person.
 */
import { serve } from '@mcp-oauth/shared/testing/listen';
import { exportJWK, generateKeyPair } from 'jose';
import type { Context } from 'koa';
import Provider from 'oidc-provider';
import { Browser } from './browser.ts';
import type { RunningServer } from './running-server.ts';

export interface LogoutProvider extends AsyncDisposable {
  readonly issuer: string;
  /** A browser at the provider. */
  browser(): Browser;
  /** Signs out at the provider, as a person does who presses the button of its page. */
  signOut(browser: Browser, page?: string): Promise<void>;
  /** How many clients accepted a logout token. */
  readonly reported: () => number;
}

/** @param deliver sends a logout token to the client, whose public URL is another one than its address */
export async function startLogoutProvider(
  callbackUrl: string,
  deliver: (path: string, init: RequestInit) => Promise<Response>,
): Promise<LogoutProvider> {
  let answer: (request: never, response: never) => void = () => {};
  const listening = await serve((request, response) => answer(request as never, response as never));
  const issuer = listening.url;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: 'one' }] },
    cookies: { keys: ['a key of this test'] },
    clients: [
      {
        client_id: 'client',
        client_secret: 'secret',
        redirect_uris: [callbackUrl],
        backchannel_logout_uri: callbackUrl.replace('/callback/', '/backchannel-logout/'),
        backchannel_logout_session_required: true,
      },
    ],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) => {
          ctx.body = form;
        },
      },
    },
    claims: { openid: ['sub'] },
    ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, Interaction: 600, Session: 600 },
    findAccount: (_, subject) => ({ accountId: subject, claims: () => ({ sub: subject }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    fetch: ((url: string, { method, headers, body }: RequestInit) =>
      deliver(new URL(url).pathname, { method, headers, body } as RequestInit)) as never,
  });
  let reported = 0;
  provider.on('backchannel.success', () => {
    reported += 1;
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    await signIn(provider, ctx as unknown as Context);
  });
  answer = provider.callback() as typeof answer;
  const place = {
    issuer,
    url: (target: string) => new URL(target, issuer),
    fetch: (target: string, init: RequestInit) => fetch(new URL(target, issuer), { redirect: 'manual', ...init }),
  };
  return {
    issuer,
    browser: () => new Browser(place as RunningServer),
    signOut: async (browser, page = '/session/end') => {
      const markup = await (await browser.visit(page)).text();
      const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(markup) ?? [];
      const body = new URLSearchParams({ xsrf, logout: 'yes' });
      const { status } = await browser.visit('/session/end/confirm', { method: 'POST', body });
      if (status !== 303) throw new Error(`not signed out at the provider: ${status}`);
    },
    reported: () => reported,
    [Symbol.asyncDispose]: () => listening.close(),
  };
}

async function signIn(provider: Provider, ctx: Context): Promise<void> {
  const grant = new provider.Grant({ accountId: 'alice', clientId: 'client' });
  grant.addOIDCScope('openid profile email');
  const result = { login: { accountId: 'alice' }, consent: { grantId: await grant.save() } };
  ctx.respond = false;
  await provider.interactionFinished(ctx.req, ctx.res, result);
}
