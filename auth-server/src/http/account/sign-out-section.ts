/** Owns the sign-out of a person in all browsers: a logout is a record, and sessions that began before it are no longer used. */
import { urlPath } from '@mcp-oauth/shared/contract';
import { stateOf } from '../../context-state.ts';
import type { SignedOut } from '../../logout/signed-out.ts';
import { signOutSection } from '../../views/account/sign-out.ts';
import type { Pages } from '../../views/pages.ts';
import type { PageSessions } from '../page-session/page-sessions.ts';
import type { AccountSection } from './section.ts';

export interface SignOutSectionDependencies {
  readonly issuer: string;
  readonly pages: Pages;
  readonly signedOut: Pick<SignedOut, 'endSessions'>;
  readonly pageSessions: Pick<PageSessions, 'end'>;
}

const EVERYWHERE = 'sign-out-everywhere';

export const createSignOutSection = (dependencies: SignOutSectionDependencies): AccountSection => ({
  show: async ({ language, path, token }) =>
    signOutSection({
      language,
      here: `${urlPath(dependencies.issuer)}/logout`,
      everywhere: `${path}/${EVERYWHERE}`,
      token,
    }),
  acts: {
    [EVERYWHERE]: async (ctx, { session, language, path }) => {
      await dependencies.signedOut.endSessions(session.account.accountId);
      await dependencies.pageSessions.end(ctx);
      stateOf(ctx).log.info({ subject: session.account.accountId }, 'signed out everywhere');
      const who = session.account.accountId;
      stateOf(ctx).audit({ event: 'person.signed-out', outcome: 'ok', who, reason: 'everywhere' });
      ctx.body = dependencies.pages.signOut({ language, account: path, isDone: true });
      return undefined;
    },
  },
});
