/** Owns the personal tokens of a person on the account page: which they may make, making one, showing it once, and ending it. */
import { hash, randomBytes } from 'node:crypto';
import { stateOf } from '../../context-state.ts';
import { type Language, said } from '../../languages/language.ts';
import { PageError } from '../../languages/page-error.ts';
import { endedEntry } from '../../personal-tokens/ending.ts';
import type { IssuedToken } from '../../personal-tokens/issue.ts';
import type { PersonalTokens } from '../../personal-tokens/personal-tokens.ts';
import { LONGEST_NAME, type TokenFault, TokenRefused } from '../../personal-tokens/token.ts';
import type { Resources } from '../../resources/resource.ts';
import type { RateLimit } from '../../storage/rate-limit.ts';
import { newToken, tokenRefused, tokensSection } from '../../views/account/tokens.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import type { AccountSection } from './section.ts';

export interface TokensSectionDependencies {
  readonly tokens: PersonalTokens;
  readonly resources: Resources;
  /** Seconds that a token lives at most. */
  readonly longest: number;
  /** Of new tokens of one person: each takes an entry of a status list that lives for months, also if it is ended at once. */
  readonly limit: RateLimit;
  readonly pageSessions: Pick<PageSessions, 'find'>;
}

const CREATE = 'create-token';
const END = 'end-token';

const DAY = 86_400;
const USUAL = [7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];

/** The lifetimes that a person can choose, the longest one last. */
const lifetimesWithin = (longest: number): readonly number[] => [...USUAL.filter((one) => one < longest), longest];

export function createTokensSection(dependencies: TokensSectionDependencies): AccountSection {
  const { tokens, resources, longest, limit, pageSessions } = dependencies;
  const serverOf = (resource: string): string => resources.find(resource)?.name ?? resource;
  return {
    show: async ({ session: { account }, language, path, token }) => {
      const mine = await tokens.list(ownerOf(account.accountId));
      await Promise.all(resources.all.map((resource) => resource.ready()));
      const offers = resources.all.map((resource) => ({
        resource: resource.identifiers[0],
        server: resource.name,
        claims: resource.claims,
        scopes: tokens.scopesFor(account, resource).map((name) => ({
          name,
          text: resource.scopes[name] ?? name,
          isChosen: resource.baseScopes.has(name),
        })),
      }));
      return tokensSection({
        language,
        tokens: mine.map((one) => ({ ...one, server: serverOf(one.resource) })),
        offers: offers.filter(({ scopes }) => scopes.length > 0),
        lifetimes: lifetimesWithin(longest),
        paths: { create: `${path}/${CREATE}`, end: `${path}/${END}` },
        token,
        request: randomBytes(16).toString('base64url'),
        longestName: LONGEST_NAME,
      });
    },
    acts: {
      [CREATE]: async (ctx, { session: { account }, language, form }) => {
        const { accountId } = account;
        const asked = {
          name: form.get('name') ?? '',
          lifetime: Number(form.get('lifetime')),
          resource: form.get('resource') ?? '',
          scopes: form.getAll('scope'),
          id: idOf(accountId, form.get('request') ?? ''),
        };
        const wait = await limit.take(accountId);
        if (wait > 0) throw tooMany(wait);
        let issued: IssuedToken;
        try {
          issued = await tokens.addForPerson(accountId, asked);
        } catch (error) {
          if (!(error instanceof TokenRefused)) throw error;
          stateOf(ctx).log.info({ subject: accountId, reason: error.reason }, 'personal token refused');
          ctx.status = error.status;
          return tokenRefused(textOf(language, error.fault));
        }
        const { id, name, resource, scopes } = issued.record;
        // An ending first ends the sessions and then the tokens in the list. One that did not find this token has ended the session.
        if ((await pageSessions.find(ctx))?.accountId !== accountId) {
          await tokens.end(ownerOf(accountId), id);
          stateOf(ctx).log.info({ subject: accountId, reason: 'the session has ended' }, 'personal token refused');
          return undefined;
        }
        stateOf(ctx).log.info({ subject: accountId, tokenId: id, resource, scopes }, 'personal token made');
        const details = { token: id, name, scopes };
        stateOf(ctx).audit({ event: 'personal-token.made', outcome: 'ok', who: accountId, resource, details });
        return newToken(language, { name, token: issued.token });
      },
      [END]: async (ctx, { session: { account }, form }) => {
        const tokenId = form.get('id') ?? '';
        const { accountId: who } = account;
        const ended = await tokens.end(ownerOf(who), tokenId);
        if (!ended) return undefined;
        const reason = 'its owner';
        stateOf(ctx).log.info({ subject: who, tokenId, reason }, 'personal token ended');
        stateOf(ctx).audit(endedEntry(who, ended, { reason }));
        return undefined;
      },
    },
  };
}

const tooMany = (wait: number): PageError =>
  new PageError(429, 'too_many_requests', said('tokenTooManyToday'), {
    reason: 'limit of the person',
    headers: { 'Retry-After': String(wait) },
  });

const ownerOf = (accountId: string) => ({ kind: 'person', accountId }) as const;

/** Nobody can choose the id of somebody else's token. */
const idOf = (accountId: string, request: string): string =>
  hash('sha256', JSON.stringify([accountId, request])).slice(0, 20);

function textOf({ texts }: Language, fault: TokenFault): string {
  if (fault === 'name') return texts.tokenBadName;
  if (fault === 'made already') return texts.tokenMade;
  return fault === 'too many' ? texts.tokenTooMany : texts.tokenNotAllowed;
}
