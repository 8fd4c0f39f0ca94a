/**
 * Owns the section with what a person has connected. The id of a grant comes out of a form, so it is looked up and compared with the
 * person first: a grant of somebody else, an unknown one and one that has just ended all get the same answer.
 */
import { stateOf } from '../../context-state.ts';
import type { UpstreamScope } from '../../resources/upstream-scope.ts';
import type { Endings } from '../../revocation/endings.ts';
import type { GrantDirectory, GrantEntry } from '../../revocation/grant-directory.ts';
import { grantsSection, type ShownGrant } from '../../views/account/grants.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import type { AccountSection } from './section.ts';

/** What the section says of a resource: its name and the words for its scopes. */
interface ResourceFacts {
  readonly name: string;
  readonly scopes: Readonly<Record<string, string>>;
  readonly upstreams: readonly UpstreamScope[];
}

export interface GrantsSectionDependencies {
  readonly pages: Pages;
  readonly directory: Pick<GrantDirectory, 'byPerson' | 'get'>;
  readonly endings: Pick<Endings, 'end'>;
  readonly pageSessions: Pick<PageSessions, 'end'>;
  readonly resources: { find(identifier: string): ResourceFacts | undefined };
  readonly clientFacts: (id: string) => Promise<ShownGrant['client']>;
}

const ONE = 'end-access';
const ALL = 'end-all-access';

export const createGrantsSection = (dependencies: GrantsSectionDependencies): AccountSection => ({
  show: async ({ session, language, path, token, query }) => {
    const { directory } = dependencies;
    const { items, next } = await directory.byPerson(session.account.accountId, query.get('after') ?? undefined);
    return grantsSection({
      language,
      grants: await Promise.all(items.map((entry) => shown(entry, dependencies))),
      endOne: `${path}/${ONE}`,
      endAll: `${path}/${ALL}`,
      token,
      more: next && `${path}?${new URLSearchParams({ after: next })}`,
    });
  },
  acts: {
    [ONE]: async (ctx, { session, form }) => {
      const { accountId } = session.account;
      const entry = await dependencies.directory.get(form.get('id') ?? '');
      if (entry?.accountId !== accountId) {
        stateOf(ctx).log.info({ subject: accountId }, 'no such access of this person');
        return undefined;
      }
      await dependencies.endings.end({ kind: 'grant', id: entry.id }, byPerson(accountId, ctx));
      return undefined;
    },
    [ALL]: async (ctx, { session, language, path }) => {
      const { accountId } = session.account;
      await dependencies.endings.end({ kind: 'person', accountId }, byPerson(accountId, ctx));
      await dependencies.pageSessions.end(ctx);
      ctx.body = dependencies.pages.signOut({ language, account: path, isDone: true, hasEndedAccess: true });
      return undefined;
    },
  },
});

function byPerson(actor: string, ctx: Parameters<typeof stateOf>[0]) {
  const { requestId: reference, clientAddress: from } = stateOf(ctx);
  return { origin: 'page', actor, reference, from } as const;
}

async function shown(entry: GrantEntry, { resources, clientFacts }: GrantsSectionDependencies): Promise<ShownGrant> {
  const found = new Set(entry.resources.map((identifier) => resources.find(identifier) ?? unknown(identifier)));
  // A resource that is not configured any more is listed under each spelling that was approved.
  const servers = new Set([...found].map(({ name }) => name));
  const upstreams = [...found].flatMap((facts) => facts.upstreams);
  const words = Object.assign({}, ...[...found].map(({ scopes }) => scopes)) as Readonly<Record<string, string>>;
  return {
    ...entry,
    client: await clientFacts(entry.clientId),
    servers: [...servers],
    scopes: entry.scopes.map((name) => ({
      name,
      description: Object.hasOwn(words, name) ? (words[name] ?? name) : name,
      upstream: upstreams.find((upstream) => upstream.name === name),
    })),
  };
}

const unknown = (identifier: string): ResourceFacts => ({ name: identifier, scopes: {}, upstreams: [] });
