/**
 * Owns the answer to a person who signed in and may not come in. The page comes first; its button, or the browser after ten seconds,
 * takes `access_denied` to the client, so that the client does not wait. Nothing is kept of the person.
 */
import type { Context } from 'koa';
import { interactionPath } from '../../consent/interaction.ts';
import { stateOf } from '../../context-state.ts';
import type { Identity } from '../../federation/connector.ts';
import type { ChooseLanguage } from '../../languages/languages.ts';
import type { Pages } from '../../views/pages.ts';

/** Seconds until the browser returns to the client by itself. */
const WAIT = 10;

/** Makes the buttons of the sign-in page ask the upstream for another account. */
export const OTHER_ACCOUNT = 'other';

export interface Refused {
  readonly languageOf: ChooseLanguage;
  readonly pages: Pages;
  readonly uid: string;
  readonly issuer: string;
  readonly identity: Identity;
  /** The name of the provider on its button. */
  readonly provider: string;
}

export function showRefusal(ctx: Context, { languageOf, pages, uid, issuer, identity, provider }: Refused): void {
  const path = interactionPath(issuer, uid);
  const finish = `${path}/finish`;
  ctx.set({ ...pages.headers });
  // The buttons above do the same at once; the delay only ends the wait of a client whose person has gone away.
  ctx.set('Refresh', `${WAIT}; url=${finish}`);
  ctx.status = 403;
  ctx.type = 'html';
  const again = `${path}?account=${OTHER_ACCOUNT}`;
  ctx.body = pages.refusal({
    language: languageOf(ctx),
    identity,
    provider,
    again,
    finish,
    reference: stateOf(ctx).requestId,
  });
}
