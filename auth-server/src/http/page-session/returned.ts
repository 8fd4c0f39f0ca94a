/**
 * Owns the end of a sign-in to a page, after the callback of the upstream has checked its answer: a session, a page that says why
 * there is none, or the refusal of a sign-in that was too old to count as a new one.
 */
import { urlPath } from '@mcp-oauth/shared/contract';
import type { Context } from 'koa';
import { withoutHandle } from '../../connecting/links.ts';
import { stateOf } from '../../context-state.ts';
import type { Identity } from '../../federation/connector.ts';
import type { ClientAnswer } from '../../federation/failure.ts';
import type { LoginOfPage, SignedIn } from '../../federation/login.ts';
import type { OpenConnector } from '../../federation/registry.ts';
import { said } from '../../languages/language.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import { PageError } from '../../languages/page-error.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import type { Pages } from '../../views/pages.ts';
import { seeOther } from '../sign-in/redirect.ts';
import type { PageSessions } from './page-sessions.ts';
import { otherAccountPath, signInFailed } from './sign-in.ts';

export interface ReturnedDependencies {
  readonly issuer: string;
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly pageSessions: Pick<PageSessions, 'start'>;
  readonly signedOut: Pick<SignedOut, 'includes'>;
}

export interface Returned {
  readonly upstream: OpenConnector;
  readonly page: LoginOfPage['page'];
  readonly outcome: SignedIn | ClientAnswer;
  /** When the person proved at the upstream who they are, if it says so. */
  readonly authenticatedAt: number | undefined;
  /** The person, if they signed in and may not come in. */
  readonly refused: Identity | undefined;
}

/** Seconds by which the clock of the upstream may differ. */
const SKEW = 60;

export async function finishOnPage(
  ctx: Context,
  returned: Returned,
  dependencies: ReturnedDependencies,
): Promise<void> {
  const { issuer, pageSessions, signedOut } = dependencies;
  const { upstream, page, outcome, refused } = returned;
  if (refused) return showRefusedOnPage(ctx, refused, returned, dependencies);
  if ('error' in outcome) throw signInFailed(upstream, outcome.error === 'access_denied');
  const authenticatedAt = provenAt(outcome.since, returned);
  // A session would be refused at its first use, and a browser that the upstream lets through at once would be sent around.
  if (await signedOut.includes(outcome)) {
    throw new PageError(403, 'access_denied', said('signedOutMeanwhile'), { next: said('waitAMoment') });
  }
  const { accountId, since, upstreamSession } = outcome;
  await pageSessions.start(ctx, { accountId, since, upstreamSession, authenticatedAt });
  stateOf(ctx).log.info({ subject: accountId, page: withoutHandle(page.path) }, 'signed in to a page');
  seeOther(ctx, `${urlPath(issuer)}${page.path}`);
}

/**
 * An upstream that says nothing may have let the person through without a question, unless it was asked to prove who they are.
 * @throws PageError if the person had to prove it again, and did not
 */
function provenAt(now: number, { page, upstream, authenticatedAt }: Returned): number | undefined {
  const { reauthenticatesAt } = page;
  if (reauthenticatesAt === undefined)
    return authenticatedAt === undefined ? undefined : Math.min(authenticatedAt, now);
  if (authenticatedAt === undefined || authenticatedAt + SKEW >= reauthenticatesAt) return now;
  throw new PageError(403, 'access_denied', said('notProvenAgain', { provider: upstream.title }), {
    reason: `the upstream was asked for a new sign-in, and its auth_time is ${reauthenticatesAt - authenticatedAt} s older`,
    next: said('openPageAgain'),
  });
}

function showRefusedOnPage(
  ctx: Context,
  identity: Identity,
  { upstream, page }: Returned,
  { pages, languageOf, issuer }: ReturnedDependencies,
): void {
  ctx.set({ ...pages.headers });
  ctx.status = 403;
  ctx.type = 'html';
  ctx.body = pages.refusal({
    language: languageOf(ctx),
    identity,
    provider: upstream.title,
    again: otherAccountPath(issuer, page.path),
    reference: stateOf(ctx).requestId,
  });
}
