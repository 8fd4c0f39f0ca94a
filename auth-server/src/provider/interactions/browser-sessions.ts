/** Owns the engine's side of a sign-out here: it finds the session of a browser, and ends it. */
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import type { BrowserSessions } from '../../logout/browser-sessions.ts';

/** @param secure whether our public URL is https */
export function createBrowserSessions(provider: Provider, secure: boolean): BrowserSessions {
  return {
    find: async ({ req, res }) => {
      const session = await provider.Session.get(provider.createContext(req, res) as Context);
      const { uid, accountId, loginTs: since = 0 } = session;
      return accountId === undefined ? undefined : { uid, accountId, since };
    },
    end: async ({ req, res }) => {
      const ctx = provider.createContext(req, res);
      const session = await provider.Session.get(ctx as Context);
      if (session.accountId !== undefined) await session.destroy();
      // The public URL decides, not the protocol of the last hop.
      ctx.cookies.secure = secure;
      const name = provider.cookieName('session');
      ctx.cookies.set(name, null, { httpOnly: true, sameSite: 'lax', path: '/', secure, overwrite: true });
    },
  };
}
