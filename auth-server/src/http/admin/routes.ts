/**
 * Owns the pages of the operator at /admin, and who gets them: people whom ADMINS names. For anybody else who is signed in, and with
 * nobody named, the answer is that of a path that does not exist. Somebody who is not signed in is sent to sign in.
 */
import { seconds } from '@mcp-oauth/shared/clock';
import { HttpError } from '@mcp-oauth/shared/errors';
import type { Context, Middleware } from 'koa';
import type { Access } from '../../access/access.ts';
import type { Administration } from '../../administration/overview.ts';
import { search } from '../../administration/search.ts';
import { said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import type { Rows } from '../../views/admin/lists.ts';
import { type EndDependencies, endSomething, isEnding } from './end.ts';
import { show } from './show.ts';

export interface AdminDependencies extends EndDependencies {
  readonly access: Pick<Access, 'hasAdmins' | 'isAdmin'>;
}

const PATH = /^\/admin(\/.*)?$/;
/** Seconds. A browser session lives for days, and the provider may have taken the group of an admin away since it began. */
const KNOWN = 3_600;
const LISTS: ReadonlySet<string> = new Set(['/people', '/clients', '/grants', '/refusals']);

export function adminRoutes(dependencies: AdminDependencies): Middleware {
  const { access, pageSessions } = dependencies;
  return async (ctx, next) => {
    const [isAdmin, below = ''] = access.hasAdmins ? (PATH.exec(ctx.path) ?? []) : [];
    const path = below.replace(/\/$/, '');
    if (isAdmin === undefined || !isPage(path)) return next();
    const session = await pageSessions.require(ctx, { signedInWithin: KNOWN });
    if (!session) return;
    if (!(await access.isAdmin(session.account))) return next();
    checkMethod(ctx, path);
    if (isEnding(path)) await endSomething(ctx, path, dependencies);
    else await showPage(ctx, path, dependencies);
  };
}

const isPage = (path: string): boolean => path === '' || path === '/search' || LISTS.has(path) || isEnding(path);

function checkMethod({ method }: Context, path: string): void {
  const allowed = isEnding(path) ? ['GET', 'HEAD', 'POST'] : ['GET', 'HEAD'];
  if (allowed.includes(method)) return;
  const text = isEnding(path) ? said('onlyGetAndPost') : said('onlyGet');
  throw new PageError(405, 'invalid_request', text, { headers: { Allow: allowed.join(', ') } });
}

async function showPage(ctx: Context, path: string, { administration, pages, clock }: AdminDependencies) {
  if (path === '') return show(ctx, pages, pages.overview(await overviewOf(administration, seconds(clock))));
  if (path === '/search') {
    const text = (parameter(ctx, 'for') ?? '').slice(0, LONGEST);
    return show(ctx, pages, pages.search({ text, ...(await search(text, administration)) }));
  }
  show(ctx, pages, pages.list({ rows: await rowsOf(ctx, path, administration) }));
}

const LONGEST = 200;
/** Rows of each list on the overview: it is read in a minute. */
const FEW = 5;

async function overviewOf(administration: Administration, now: number) {
  const [newest, keys, refusals, statusList] = await Promise.all([
    administration.newest(FEW),
    administration.keys(),
    administration.refusals(),
    administration.statusList(),
  ]);
  return { now, versions: administration.versions, ...newest, keys, refusals, statusList };
}

async function rowsOf(ctx: Context, path: string, administration: Administration): Promise<Rows> {
  const after = parameter(ctx, 'after');
  switch (path) {
    case '/people':
      return { list: 'people', listed: await administration.people(after) };
    case '/clients':
      return { list: 'clients', listed: await administration.counted(await administration.clients(after)) };
    case '/refusals':
      return { list: 'refusals', listed: { rows: await administration.refusals() } };
    default: {
      const whose = { person: parameter(ctx, 'person'), client: parameter(ctx, 'client') };
      if (whose.person !== undefined && whose.client !== undefined) {
        throw new HttpError(400, 'invalid_request', 'Name a person or a client, not both.');
      }
      const listed = await administration.grants(whose, after);
      return { list: 'grants', listed, whose, named: whose.person ?? whose.client };
    }
  }
}

/** Longer ids are of nobody. */
function parameter(ctx: Context, name: string): string | undefined {
  const [value, ...others] = new URLSearchParams(ctx.search).getAll(name);
  if (others.length > 0) throw new HttpError(400, 'invalid_request', `${name} is there more than once.`);
  return value === undefined || value === '' ? undefined : value.slice(0, 4_096);
}
