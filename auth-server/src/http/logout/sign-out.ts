/**
 * Owns the page on which a person signs out of this server: it ends the session of this browser, and nothing that the person
 * approved. Only a form of our own page can end it, so no other site signs a person out (RFC 9700 §4.7).
 */

import { createHmac } from 'node:crypto';
import { urlPath } from '@mcp-oauth/shared/contract';
import { equalInConstantTime } from '@mcp-oauth/shared/crypto/constant-time';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context, Middleware } from 'koa';
import { stateOf } from '../../context-state.ts';
import type { Account, Accounts } from '../../federation/account.ts';
import { logged, toUpstreamError } from '../../federation/failure.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import type { BrowserSession } from '../../logout/browser-sessions.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import { refuseOtherSites } from '../sign-in/same-site.ts';

export interface SignOutDependencies {
  readonly issuer: string;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly accounts: Accounts;
  readonly connectors: readonly OpenConnector[];
  readonly sessions: Pick<PageSessions, 'find' | 'end'>;
  /** Signs the form; the same on all replicas. */
  readonly formKey: string;
}

const PATH = /^\/logout\/?$/;
/** Maximum bytes of the form, which has one token. */
const LIMIT = 1_024;

export function signOutRoutes(dependencies: SignOutDependencies): Middleware {
  return async (ctx, next) => {
    if (!PATH.test(ctx.path)) return next();
    if (ctx.method === 'POST') return signOut(ctx, dependencies);
    if (ctx.method === 'GET' || ctx.method === 'HEAD') return ask(ctx, dependencies);
    throw new PageError(405, 'invalid_request', said('onlyGetAndPost'), { headers: { Allow: 'GET, POST' } });
  };
}

async function ask(ctx: Context, dependencies: SignOutDependencies): Promise<void> {
  const { sessions, accounts, issuer, formKey } = dependencies;
  const session = await sessions.find(ctx);
  if (!session) return show(ctx, dependencies, {});
  const account = await accounts.find(session.accountId);
  const path = `${urlPath(issuer)}/logout`;
  show(ctx, dependencies, { session: { account, path, token: tokenOf(formKey, session) } });
}

async function signOut(ctx: Context, dependencies: SignOutDependencies): Promise<void> {
  const { sessions, accounts, issuer, formKey } = dependencies;
  refuseOtherSites(ctx, issuer);
  const session = await sessions.find(ctx);
  // Signed out already, perhaps in another tab.
  if (!session) return show(ctx, dependencies, { isDone: true });
  const form = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8'));
  if (!equalInConstantTime(form.get('token') ?? '', tokenOf(formKey, session))) {
    throw new PageError(403, 'invalid_request', said('outOfDate'), { reason: 'form token missing or of another page' });
  }
  const account = await accounts.find(session.accountId);
  await sessions.end(ctx);
  stateOf(ctx).log.info({ subject: session.accountId }, 'signed out here');
  stateOf(ctx).audit({ event: 'person.signed-out', outcome: 'ok', who: session.accountId, reason: 'here' });
  show(ctx, dependencies, { isDone: true, upstream: account && (await pageThere(ctx, dependencies, account)) });
}

type Shown = Omit<Parameters<Pages['signOut']>[0], 'language' | 'account'>;

function show(ctx: Context, { pages, languageOf, issuer }: SignOutDependencies, shown: Shown): void {
  ctx.set({ ...pages.headers });
  ctx.status = 200;
  ctx.type = 'html';
  ctx.body = pages.signOut({ ...shown, language: languageOf(ctx), account: `${urlPath(issuer)}/account` });
}

/** Valid for one session; only this server can make it. */
const tokenOf = (key: string, { uid }: BrowserSession): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(['sign-out', uid]))
    .digest('base64url');

/** The page of the identity provider: an offer, so a provider that is down does not prevent the sign-out here. */
async function pageThere(ctx: Context, { connectors }: SignOutDependencies, { connector, identity }: Account) {
  const upstream = connectors.find(({ id }) => id === connector);
  try {
    const target = await upstream?.connector.logout?.page(identity.email ?? identity.username);
    return upstream && target && { target: target.href, title: upstream.title };
  } catch (error) {
    const line = logged(toUpstreamError(error), upstream?.secrets ?? []);
    stateOf(ctx).log.info({ connector, ...line }, 'no page to sign out at the upstream');
    return undefined;
  }
}
