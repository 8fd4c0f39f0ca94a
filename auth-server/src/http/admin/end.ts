/**
 * Owns the pages on which an operator ends something. A GET shows what ends; a POST ends it, if the operator signed in a few minutes ago
 * and the form shows what would end now. A sign-in in between leads back to the page that shows it: nothing ends by coming back.
 */
import { type Clock, seconds } from '@mcp-oauth/shared/clock';
import { readBounded } from '@mcp-oauth/shared/http/request/bounded-body';
import type { Context } from 'koa';
import { type AnnouncedEnding, announced, digestOf } from '../../administration/ending.ts';
import { targetIn } from '../../administration/ending-path.ts';
import type { Administration } from '../../administration/overview.ts';
import { stateOf } from '../../context-state.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { Endings, Target } from '../../revocation/endings.ts';
import type { AdminPages } from '../../views/admin/pages.ts';
import type { PageSession, PageSessions } from '../page-session/page-sessions.ts';
import { seeOther } from '../sign-in/redirect.ts';
import type { FormTokens } from './form-token.ts';
import { show } from './show.ts';

export interface EndDependencies {
  readonly clock: Clock;
  /** Path of the pages of the operator. */
  readonly base: string;
  readonly administration: Administration;
  readonly endings: Pick<Endings, 'end'>;
  readonly pages: AdminPages;
  readonly pageSessions: Pick<PageSessions, 'require'>;
  readonly formTokens: FormTokens;
}

/** Seconds since the operator proved at the upstream who they are. */
const RECENT = 300;
/** Maximum bytes of a form, which has a token and a moment. */
const LIMIT = 2_048;

const EVERYTHING = '/end/everything';

export const isEnding = (path: string): boolean => path === EVERYTHING || targetIn(path) !== undefined;

/** @param path below the pages of the operator */
export async function endSomething(ctx: Context, path: string, dependencies: EndDependencies): Promise<void> {
  const { base, pageSessions } = dependencies;
  const session = await pageSessions.require(ctx, { maxAge: RECENT });
  if (!session) {
    // The page is shown again after the sign-in, and not sent again.
    if (ctx.method === 'POST') seeOther(ctx, base + path);
    return;
  }
  if (ctx.method === 'POST') await confirm(ctx, { path, session }, dependencies);
  else await ask(ctx, { path, session, target: targetOf(path, seconds(dependencies.clock)) }, dependencies);
}

interface Asked {
  readonly path: string;
  readonly session: PageSession;
  readonly target: Target;
  readonly hasChanged?: boolean;
}

const targetOf = (path: string, before: number): Target => targetIn(path) ?? { kind: 'everything', before };

async function ask(ctx: Context, asked: Asked, dependencies: EndDependencies): Promise<void> {
  const { pages, formTokens, base } = dependencies;
  const { path, session, target, hasChanged = false } = asked;
  const ending = await found(target, dependencies);
  const token = formTokens.issue(session.id, target, digestOf(ending));
  const before = target.kind === 'everything' ? target.before : undefined;
  show(ctx, pages, pages.confirm({ ending, action: base + path, token, before, hasChanged }), hasChanged ? 409 : 200);
}

async function confirm(
  ctx: Context,
  { path, session }: Omit<Asked, 'target'>,
  dependencies: EndDependencies,
): Promise<void> {
  const { pages, formTokens, endings } = dependencies;
  const form = new URLSearchParams((await readBounded(ctx, LIMIT)).toString('utf8'));
  const target = targetOf(path, momentIn(form));
  const ending = await found(target, dependencies);
  const answer = await formTokens.redeem(form.get('token') ?? '', session.id, target, digestOf(ending));
  if (answer === 'refused') {
    throw new PageError(403, 'invalid_request', said('outOfDate'), {
      reason: 'form token missing, used, too old or of another page',
      next: said('openPageAgain'),
    });
  }
  if (answer === 'changed') return ask(ctx, { path, session, target, hasChanged: true }, dependencies);
  const { requestId: reference, clientAddress: from } = stateOf(ctx);
  const ended = await endings.end(target, { origin: 'admin', actor: session.account.accountId, reference, from });
  show(ctx, pages, pages.ended({ what: ending.what, grants: ended.grants, reference }));
}

/** The token says whether it is the moment that the page showed. */
function momentIn(form: URLSearchParams): number {
  const [moment = '', ...others] = form.getAll('before');
  return others.length === 0 && /^\d{1,12}$/.test(moment) ? Number(moment) : 0;
}

async function found(target: Target, { administration }: EndDependencies): Promise<AnnouncedEnding> {
  const ending = await announced(target, administration);
  if (ending) return ending;
  throw new PageError(404, 'not_found', said('nothingHere'), { reason: `there is no such ${target.kind}` });
}
