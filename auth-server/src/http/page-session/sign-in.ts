/**
 * Owns the sign-in to the pages of this server: the way to the upstream, at once if there is only one, and the return from it. A
 * stranger can start it, so each start counts for its address (http/admission/request-limits.ts), and its state ends in ten minutes.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { urlPath } from '@mcp-oauth/shared/contract';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context, Middleware } from 'koa';
import { withoutHandle } from '../../connecting/links.ts';
import { flowOf } from '../../consent/interaction.ts';
import { stateOf } from '../../context-state.ts';
import type { LoginOfPage, Logins } from '../../federation/login.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import type { Pages } from '../../views/pages.ts';
import type { LoginCookie } from '../sign-in/login-cookie.ts';
import { seeOther } from '../sign-in/redirect.ts';
import { OTHER_ACCOUNT } from '../sign-in/refusal.ts';
import { refuseOtherSites } from '../sign-in/same-site.ts';
import { type SignInObserver, upstreamFailed } from '../sign-in/upstream-failure.ts';
import { pagePathOf } from './page-path.ts';

export interface PageSignInDependencies {
  readonly issuer: string;
  readonly clock: Clock;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly connectors: readonly OpenConnector[];
  readonly logins: Logins;
  readonly loginCookie: LoginCookie;
  readonly onSignIn?: SignInObserver | undefined;
}

const PATH = /^\/sign-in\/?$/;
/** Maximum bytes of the form. */
const LIMIT = 1_024;

/** What a link or a form asks for. */
interface Asked {
  readonly to: string;
  readonly isAgain: boolean;
  readonly isOtherAccount: boolean;
}

const askedIn = (parameters: URLSearchParams): Asked => ({
  to: pagePathOf(parameters.get('to')),
  isAgain: parameters.has('again'),
  isOtherAccount: parameters.get('account') === OTHER_ACCOUNT,
});

export function pageSignInRoutes(dependencies: PageSignInDependencies): Middleware {
  return async (ctx, next) => {
    if (!PATH.test(ctx.path)) return next();
    if (ctx.method === 'GET') return choose(ctx, dependencies);
    if (ctx.method === 'POST') return chosen(ctx, dependencies);
    // RFC 9110 §9.2.1: HEAD is safe, and a sign-in with the only upstream begins at once.
    throw new PageError(405, 'invalid_request', said('onlyGetAndPost'), { headers: { Allow: 'GET, POST' } });
  };
}

async function choose(ctx: Context, dependencies: PageSignInDependencies): Promise<void> {
  const { connectors, pages, languageOf, issuer } = dependencies;
  const asked = askedIn(new URLSearchParams(ctx.search));
  const [only, ...others] = connectors;
  if (only && others.length === 0) return begin(ctx, dependencies, only, asked);
  ctx.set({ ...pages.headers });
  ctx.type = 'html';
  ctx.body = pages.pageSignIn({
    language: languageOf(ctx),
    path: `${urlPath(issuer)}/sign-in`,
    connectors,
    fields: {
      to: asked.to,
      ...(asked.isAgain && { again: '1' }),
      ...(asked.isOtherAccount && { account: OTHER_ACCOUNT }),
    },
    isAgain: asked.isAgain,
  });
}

async function chosen(ctx: Context, dependencies: PageSignInDependencies): Promise<void> {
  refuseOtherSites(ctx, dependencies.issuer);
  const form = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8'));
  const upstream = dependencies.connectors.find(({ id }) => id === form.get('connector'));
  if (!upstream) throw new PageError(400, 'invalid_request', said('noSuchWay'), { next: said('openPageAgain') });
  await begin(ctx, dependencies, upstream, askedIn(form));
}

/** Asks the upstream first, so that nothing is stored if it is down. */
async function begin(
  ctx: Context,
  { logins, loginCookie, clock, onSignIn }: PageSignInDependencies,
  upstream: OpenConnector,
  { to, isAgain, isOtherAccount }: Asked,
): Promise<void> {
  const checks = logins.createChecks();
  let target: URL;
  try {
    target = await upstream.connector.begin(checks, { reauthenticate: isAgain, selectAccount: isOtherAccount });
  } catch (error) {
    const { reason } = upstreamFailed(ctx, { upstream, checks }, error);
    onSignIn?.(upstream.id, reason);
    throw signInFailed(upstream);
  }
  const page: LoginOfPage['page'] = { path: to, ...(isAgain && { reauthenticatesAt: seconds(clock) }) };
  await logins.start(checks, { connector: upstream.id, page });
  loginCookie.set(ctx, checks.state);
  const state = stateOf(ctx);
  state.flow = flowOf(checks.state);
  state.audit({
    event: 'sign-in.started',
    outcome: 'ok',
    details: { connector: upstream.id, page: withoutHandle(to) },
  });
  seeOther(ctx, new URL(target).href);
}

/** The failure itself is in the log already. */
export const signInFailed = ({ title: provider }: OpenConnector, isDenied = false): PageError =>
  isDenied
    ? new PageError(403, 'access_denied', said('pageSignInDenied', { provider }), { next: said('openPageAgain') })
    : new PageError(503, 'temporarily_unavailable', said('pageSignInFailed', { provider }), {
        next: said('waitAMoment'),
      });

/** The path of the sign-in with another account, after this one was refused. */
export const otherAccountPath = (issuer: string, to: string): string =>
  `${urlPath(issuer)}/sign-in?${new URLSearchParams({ to, account: OTHER_ACCOUNT })}`;
