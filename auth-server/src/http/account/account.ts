/**
 * Owns the account page: a person sees what they have connected, and ends it. The page is a list of sections; each act is a form of
 * this page, with a token of the session (RFC 9700 §4.7), and ends in a redirect to the page.
 */
import { urlPath } from '@mcp-oauth/shared/contract';
import type { Html } from '@mcp-oauth/shared/pages/html';
import type { Context, Middleware } from 'koa';
import type { OpenConnector } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSession, PageSessions } from '../page-session/page-sessions.ts';
import { seeOther } from '../sign-in/redirect.ts';
import type { AccountSection } from './section.ts';

export interface AccountDependencies {
  readonly issuer: string;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly connectors: readonly OpenConnector[];
  readonly pageSessions: PageSessions;
  readonly sections: readonly AccountSection[];
}

const PATH = /^\/account(?:\/([\w-]+))?\/?$/;

export function accountRoutes(dependencies: AccountDependencies): Middleware {
  return async (ctx, next) => {
    const match = PATH.exec(ctx.path);
    if (!match) return next();
    const [, name] = match;
    const act = name === undefined ? undefined : actNamed(name, dependencies);
    if (name !== undefined && !act) return next();
    const allowed = act ? ['POST'] : ['GET', 'HEAD'];
    if (!allowed.includes(ctx.method)) {
      throw new PageError(405, 'invalid_request', said(act ? 'onlyPost' : 'onlyGet'), {
        headers: { Allow: allowed.join(', ') },
        next: said('openPageAgain'),
      });
    }
    const session = await dependencies.pageSessions.require(ctx);
    if (!session) return;
    if (!act) return show(ctx, session, dependencies);
    const form = await dependencies.pageSessions.readForm(ctx, session);
    ctx.set({ ...dependencies.pages.headers });
    ctx.status = 200;
    ctx.type = 'html';
    const path = pathOf(dependencies);
    const notice = await act(ctx, { session, form, path, language: dependencies.languageOf(ctx) });
    if (notice) return show(ctx, session, dependencies, notice);
    if (ctx.body === undefined) seeOther(ctx, path);
  };
}

/** The name comes out of the path: `constructor` is no act. */
const actNamed = (name: string, { sections }: Pick<AccountDependencies, 'sections'>) =>
  sections.find(({ acts }) => Object.hasOwn(acts, name))?.acts[name];

const pathOf = ({ issuer }: Pick<AccountDependencies, 'issuer'>): string => `${urlPath(issuer)}/account`;

async function show(
  ctx: Context,
  session: PageSession,
  dependencies: AccountDependencies,
  notice?: Html,
): Promise<void> {
  const { pages, languageOf, pageSessions, connectors } = dependencies;
  const language = languageOf(ctx);
  const token = pageSessions.tokenOf(session);
  const view = { session, language, path: pathOf(dependencies), token, query: new URLSearchParams(ctx.search) };
  const sections = await Promise.all(dependencies.sections.map((section) => section.show(view)));
  ctx.set({ ...pages.headers });
  ctx.type = 'html';
  ctx.body = pages.account({
    language,
    account: session.account,
    provider: connectors.find(({ id }) => id === session.account.connector)?.title,
    notice,
    sections: sections.filter((section) => section !== undefined),
  });
}
