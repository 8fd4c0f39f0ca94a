/** Owns how the pages that a person opens without an app are created: the sign-in to them, and the account page. */
import { randomBytes } from 'node:crypto';
import type { Middleware } from 'koa';
import { type AccountDependencies, accountRoutes } from '../../http/account/account.ts';
import { createConnectionsSection } from '../../http/account/connections-section.ts';
import { createGrantsSection, type GrantsSectionDependencies } from '../../http/account/grants-section.ts';
import { createSignOutSection, type SignOutSectionDependencies } from '../../http/account/sign-out-section.ts';
import { createTokensSection, type TokensSectionDependencies } from '../../http/account/tokens-section.ts';
import { doneRoute } from '../../http/connect/done-page.ts';
import { linkRoutes } from '../../http/connect/link-page.ts';
import {
  createPageSessions,
  type PageSessionDependencies,
  type PageSessions,
} from '../../http/page-session/page-sessions.ts';
import { createSessionCookie } from '../../http/page-session/session-cookie.ts';
import { createPageSessionRecords } from '../../http/page-session/session-records.ts';
import { type PageSignInDependencies, pageSignInRoutes } from '../../http/page-session/sign-in.ts';
import type { Connecting } from '../connections/connecting.ts';
import type { Dependencies } from '../dependencies.ts';

type PageDependencies = Pick<Dependencies, 'store'> &
  Omit<PageSessionDependencies, 'records' | 'cookie'> &
  PageSignInDependencies &
  Omit<AccountDependencies & GrantsSectionDependencies & SignOutSectionDependencies, 'sections' | 'pageSessions'> & {
    /** Absent: people have no personal tokens. */
    readonly ownTokens: Omit<TokensSectionDependencies, 'pageSessions'> | undefined;
    /** Absent: no tool uses accounts of people. */
    readonly connecting: Connecting | undefined;
  };

interface ComposedPages {
  readonly pageSessions: PageSessions;
  readonly routes: readonly Middleware[];
}

export function composePages({ store, ownTokens, connecting, ...dependencies }: PageDependencies): ComposedPages {
  const pageSessions = createPageSessions({
    ...dependencies,
    records: createPageSessionRecords({ store, clock: dependencies.clock, random: randomBytes }),
    cookie: createSessionCookie(dependencies.issuer),
  });
  const all = { ...dependencies, pageSessions };
  const tokens = ownTokens ? [createTokensSection({ ...ownTokens, pageSessions })] : [];
  const connections = connecting ? [createConnectionsSection({ ...all, ...connecting })] : [];
  const sections = [createGrantsSection(all), ...connections, ...tokens, createSignOutSection(all)];
  const links = connecting ? [linkRoutes({ ...all, ...connecting }), doneRoute({ ...all, ...connecting })] : [];
  return { pageSessions, routes: [pageSignInRoutes(dependencies), accountRoutes({ ...all, sections }), ...links] };
}
