/**
 * Owns the last answer to an app with a private-use scheme (RFC 8252 §7.1). A redirect there starts the app and leaves the tab on the
 * page before, which looks unfinished; so a browser gets a page that leads to the app at once. Any other redirect is untouched: a
 * loopback address answers with a page of its own, and programs wait for `Location`.
 */
import type { Middleware } from 'koa';
import type { ChooseLanguage } from '../../languages/languages.ts';
import type { Pages } from '../../views/pages.ts';

const AUTHORIZATION = /^\/authorize(\/|$)/;

export const finishNative =
  ({ pages, languageOf }: { readonly pages: Pages; readonly languageOf: ChooseLanguage }): Middleware =>
  async (ctx, next) => {
    await next();
    if (!AUTHORIZATION.test(ctx.path) || (ctx.status !== 302 && ctx.status !== 303)) return;
    const target = ctx.response.get('Location');
    if (!isOfAnApp(target) || !isNavigation(ctx.get('Sec-Fetch-Mode'), ctx.get('Sec-Fetch-Dest'))) return;
    ctx.remove('Location');
    ctx.set({ ...pages.headers, Refresh: `0; url=${target}` });
    ctx.status = 200;
    ctx.type = 'html';
    ctx.body = pages.finished({ language: languageOf(ctx), target, isGranted: !/[?#&]error=/.test(target) });
  };

/** The engine has compared the address with those of the client, and a scheme that browsers run is refused at registration. */
function isOfAnApp(target: string): boolean {
  const url = URL.parse(target);
  return url !== null && !['http:', 'https:'].includes(url.protocol);
}

/** Fetch Metadata Request Headers §2: only a browser that shows a document sends both. */
const isNavigation = (mode: string, destination: string): boolean => mode === 'navigate' && destination === 'document';
