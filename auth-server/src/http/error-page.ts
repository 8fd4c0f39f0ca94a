/** Owns the error page for people; `errorBoundary({ page })` answers programs with JSON. */
import type { HttpError } from '@mcp-oauth/shared/errors';
import type { Context } from 'koa';
import { stateOf } from '../context-state.ts';
import { inWords, type Language } from '../languages/language.ts';
import type { ChooseLanguage } from '../languages/languages.ts';
import { PageError, textOf } from '../languages/page-error.ts';
import type { Pages } from '../views/pages.ts';

export const renderErrorPage =
  (languageOf: ChooseLanguage, pages: Pages) =>
  (ctx: Context, error: HttpError): string => {
    ctx.set({ ...pages.headers });
    const { requestId, audit } = stateOf(ctx);
    // Nobody signs in at an address with nothing.
    if (error.status !== 404)
      audit({ event: 'page.refused', outcome: error.status >= 500 ? 'failed' : 'refused', reason: error.reason });
    const language = languageOf(ctx);
    const message = textOf(error, language);
    const own = error instanceof PageError && error.next ? { next: inWords(language, error.next) } : {};
    return pages.error({ language, ...titleOf(error.status, language), ...own, message, reference: requestId });
  };

function titleOf(status: number, { texts }: Language): { readonly title: string; readonly next?: string } {
  if (status === 404) return { title: texts.nothingHereTitle };
  if (status === 429) return { title: texts.tooManyRequestsTitle, next: texts.waitAMoment };
  if (status >= 500) return { title: texts.wentWrongTitle, next: texts.noAnswerYet };
  return { title: texts.didNotWorkTitle, next: texts.connectAgain };
}
