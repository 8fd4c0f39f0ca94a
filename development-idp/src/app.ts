/** Owns the requests of the development IdP: its page to choose a person, and the OpenID provider. */
import Router from '@koa/router';
import { logConnections } from '@mcp-oauth/shared/http/connections';
import { errorBoundary } from '@mcp-oauth/shared/http/error-boundary';
import { operations } from '@mcp-oauth/shared/http/operations';
import { checkHead } from '@mcp-oauth/shared/http/request/head';
import { requestLog } from '@mcp-oauth/shared/http/request-log';
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import type { Logger } from '@mcp-oauth/shared/logger';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import type { Context, Middleware } from 'koa';
import { koaBody } from 'koa-body';
import type Provider from 'oidc-provider';
import { chooserPage, failurePage } from './chooser.ts';
import { findPerson } from './people.ts';

export interface AppDependencies {
  readonly url: string;
  readonly provider: Provider;
  readonly log: Logger;
  readonly ready: () => boolean;
}

/** The provider is the Koa app; the middleware added here runs before its own routes. */
export function createApp({ url, provider, log, ready }: AppDependencies): Provider {
  const use = (middleware: Middleware) => provider.use(middleware as Parameters<Provider['use']>[0]);
  use(requestLog(log) as Middleware);
  use(pages);
  use(errorBoundary({ page: (_, error) => failurePage(error.message) }) as Middleware);
  use(checkHead);
  use(pinned(url));
  use(withoutSession);
  use(operations(ready));
  use(routes(provider));
  logConnections(provider, log);
  return provider;
}

/** The provider builds URLs from the Host header, so the header is replaced by the configured host. */
const pinned = (url: string): Middleware => {
  const { host } = new URL(url);
  return (ctx, next) => {
    ctx.req.headers.host = host;
    delete ctx.req.headers['x-forwarded-host'];
    return next();
  };
};

const headers = pageHeaders(stylesheet);

const pages: Middleware = (ctx, next) => {
  ctx.set(headers);
  return next();
};

/** Nobody stays signed in: a developer who connects again can choose another person. */
const withoutSession: Middleware = (ctx, next) => {
  const kept = (ctx.req.headers.cookie ?? '').split(/; */).filter((cookie) => !/^idp_session(\.sig)?=/.test(cookie));
  ctx.req.headers.cookie = kept.join('; ');
  return next();
};

/** Called after the cookie is checked. */
const readForm = koaBody({ urlencoded: true, json: false, text: false, multipart: false, formLimit: '8kb' });

function routes(provider: Provider): Middleware {
  const router = new Router();
  router.get('/interaction/:uid', async (ctx) => {
    const { uid } = await provider.interactionDetails(ctx.req, ctx.res);
    ctx.type = 'html';
    ctx.body = chooserPage(uid);
  });
  router.post('/interaction/:uid', (ctx) => choose(ctx, provider));
  return router.routes() as Middleware;
}

/** Login and consent end in one step, because there is nothing to decide. */
async function choose(ctx: Context, provider: Provider): Promise<void> {
  const {
    params: { scope, client_id: clientId },
  } = await provider.interactionDetails(ctx.req, ctx.res);
  await readForm(ctx, async () => {});
  const { person: chosen } = (ctx.request.body ?? {}) as { readonly person?: unknown };
  const person = findPerson(chosen);
  const result = person
    ? {
        login: { accountId: person.subject },
        consent: { grantId: await grant(provider, { accountId: person.subject, clientId: String(clientId) }, scope) },
      }
    : { error: 'access_denied', error_description: 'The sign-in was cancelled.' };
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result, { mergeWithLastSubmission: false }));
  ctx.status = 303;
}

function grant(
  provider: Provider,
  holder: { readonly accountId: string; readonly clientId: string },
  scope: unknown,
): Promise<string> {
  const granted = new provider.Grant(holder);
  granted.addOIDCScope(String(scope));
  return granted.save();
}
