/**
 * Owns the page of a link at which a person connects an account for tools (MCP 2026-07-28, elicitation: whoever opens the link must be
 * the person for whom it was made). It signs the person in first, shows what the link is for, and only its form uses the link up.
 */
import { urlPath } from '@mcp-oauth/shared/contract';
import type { Context, Middleware } from 'koa';
import { keyOf, type LinkPurpose, type Links } from '../../connecting/links.ts';
import { scopesToAsk } from '../../connecting/missing.ts';
import { stateOf } from '../../context-state.ts';
import type { OpenTools } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import type { LinkView } from '../../views/connect/link.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSession, PageSessions } from '../page-session/page-sessions.ts';
import { otherAccountPath } from '../page-session/sign-in.ts';
import { type DepartDependencies, depart, prepare } from './depart.ts';
import { connectionFailed } from './returned.ts';

export interface LinkPageDependencies extends DepartDependencies {
  readonly issuer: string;
  readonly links: Links;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly pageSessions: Pick<PageSessions, 'require' | 'tokenOf' | 'readForm'>;
  readonly clientFacts: (id: string) => Promise<LinkView['client']>;
}

const PATH = /^\/connect\/([\w-]{43})\/?$/;

/** A link with the person who opened it, and for whom it was made. */
interface Opened {
  readonly handle: string;
  readonly purpose: LinkPurpose;
  readonly upstream: OpenTools;
  readonly session: PageSession;
}

export function linkRoutes(dependencies: LinkPageDependencies): Middleware {
  return async (ctx, next) => {
    const [, handle] = PATH.exec(ctx.path) ?? [];
    if (handle === undefined) return next();
    if (!['GET', 'HEAD', 'POST'].includes(ctx.method)) {
      throw new PageError(405, 'invalid_request', said('onlyGetAndPost'), { headers: { Allow: 'GET, HEAD, POST' } });
    }
    const opened = await open(ctx, handle, dependencies);
    if (!opened) return;
    return ctx.method === 'POST' ? decide(ctx, opened, dependencies) : show(ctx, opened, dependencies);
  };
}

const over = (reason: string): PageError =>
  new PageError(410, 'gone', said('linkOver'), { reason, next: said('linkAgain') });

/** @returns `undefined` if the request is answered: the person signs in first, or is not the one of the link */
async function open(ctx: Context, handle: string, dependencies: LinkPageDependencies): Promise<Opened | undefined> {
  const { links, tools, pageSessions } = dependencies;
  const purpose = await links.find(handle);
  const upstream = tools.find(({ id }) => id === purpose?.connector);
  if (!purpose || !upstream) throw over('the link is unknown, used or too old');
  const session = await pageSessions.require(ctx);
  if (!session) return undefined;
  if (session.account.accountId === purpose.accountId) return { handle, purpose, upstream, session };
  refuseOther(ctx, session, dependencies);
  return undefined;
}

/** Says nothing of the link: somebody may have sent it to the person. */
function refuseOther(
  ctx: Context,
  { account }: PageSession,
  { pages, languageOf, issuer }: LinkPageDependencies,
): void {
  const reason = 'the link was made for another person';
  stateOf(ctx).log.warn({ subject: account.accountId, reason }, 'connection of an account refused');
  stateOf(ctx).audit({ event: 'connection.refused', outcome: 'refused', who: account.accountId, reason });
  ctx.set({ ...pages.headers });
  ctx.status = 403;
  ctx.type = 'html';
  ctx.body = pages.linkOfOther({
    language: languageOf(ctx),
    account,
    again: otherAccountPath(issuer, ctx.path),
    reference: stateOf(ctx).requestId,
  });
}

async function show(
  ctx: Context,
  { handle, purpose, upstream, session }: Opened,
  { issuer, connections, clientFacts, languageOf, pages, pageSessions }: LinkPageDependencies,
): Promise<void> {
  const { account } = session;
  const [client, now] = await Promise.all([
    clientFacts(purpose.clientId),
    connections.find({ connector: upstream.id, accountId: account.accountId }),
  ]);
  ctx.set({ ...pages.headers });
  ctx.type = 'html';
  ctx.body = pages.link({
    language: languageOf(ctx),
    client,
    provider: upstream.title,
    type: upstream.type,
    account,
    connected: now && !now.hasEnded ? now.account : undefined,
    scopes: scopesToAsk(upstream, purpose.scopes, now),
    path: `${urlPath(issuer)}/connect/${handle}`,
    accountPage: `${urlPath(issuer)}/account`,
    token: pageSessions.tokenOf(session),
  });
}

async function decide(ctx: Context, opened: Opened, dependencies: LinkPageDependencies): Promise<void> {
  const { handle, purpose, upstream, session } = opened;
  const form = await dependencies.pageSessions.readForm(ctx, session);
  if (form.get('decision') !== 'connect') return cancel(ctx, opened, dependencies);
  const { accountId, clientId, scopes } = purpose;
  const connection = { accountId, clientId, scopes, link: keyOf(handle) };
  const departure = await prepare(ctx, connection, upstream, dependencies);
  if ('reason' in departure) throw connectionFailed(upstream, departure);
  if (!(await dependencies.links.take(handle))) throw over('the link was used by another request at the same time');
  await depart(ctx, departure, dependencies).catch(async (error: unknown) => {
    await dependencies.links.end(keyOf(handle), purpose, 'failed').catch(() => {});
    throw error;
  });
}

async function cancel(
  ctx: Context,
  { handle, purpose, upstream }: Opened,
  { links, pages, languageOf, issuer }: LinkPageDependencies,
): Promise<void> {
  if (await links.decline(handle)) {
    const { accountId: who, clientId: client } = purpose;
    const details = { connector: upstream.id };
    stateOf(ctx).audit({ event: 'connection.refused', outcome: 'refused', who, client, reason: 'cancelled', details });
  }
  ctx.set({ ...pages.headers });
  ctx.type = 'html';
  ctx.body = pages.connected({
    language: languageOf(ctx),
    provider: upstream.title,
    connection: undefined,
    isPart: false,
    accountPage: `${urlPath(issuer)}/account`,
  });
}
