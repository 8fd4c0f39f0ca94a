/** Owns the page after a connection: it says what is connected now, so that it can be reloaded, and changes nothing. */
import { urlPath } from '@mcp-oauth/shared/contract';
import type { Middleware } from 'koa';
import { isLacking } from '../../connecting/missing.ts';
import type { OpenTools } from '../../federation/registry.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { onlyGet } from '../../languages/page-error.ts';
import type { Connections } from '../../vault/connections/connections.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';

export interface DonePageDependencies {
  readonly issuer: string;
  readonly tools: readonly OpenTools[];
  readonly connections: Pick<Connections, 'find'>;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly pageSessions: Pick<PageSessions, 'require'>;
}

const PATH = /^\/connect\/done\/([\w-]+)\/?$/;

export const donePath = (issuer: string, connector: string): string => `${urlPath(issuer)}/connect/done/${connector}`;

export function doneRoute(dependencies: DonePageDependencies): Middleware {
  const { issuer, tools, connections, languageOf, pages, pageSessions } = dependencies;
  return async (ctx, next) => {
    const [, id] = PATH.exec(ctx.path) ?? [];
    const upstream = tools.find((one) => one.id === id);
    if (!upstream) return next();
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') throw onlyGet();
    const session = await pageSessions.require(ctx);
    if (!session) return;
    const { accountId } = session.account;
    const found = await connections.find({ connector: upstream.id, accountId });
    const connection = found?.hasEnded ? undefined : found;
    ctx.set({ ...pages.headers });
    ctx.type = 'html';
    ctx.body = pages.connected({
      language: languageOf(ctx),
      provider: upstream.title,
      type: upstream.type,
      connection,
      isPart: isLacking(connection, upstream.scopes),
      accountPage: `${urlPath(issuer)}/account`,
    });
  };
}
