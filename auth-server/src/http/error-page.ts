/** Owns the error page for people; `errorBoundary({ page })` answers programs with JSON. */
import type { HttpError } from '@mcp-oauth/shared/errors';
import { pageHeaders } from '@mcp-oauth/shared/http/security-headers';
import { stylesheet } from '@mcp-oauth/shared/pages/stylesheet';
import type { Context } from 'koa';
import { stateOf } from '../context-state.ts';
import type { Language } from '../languages/language.ts';
import type { ChooseLanguage } from '../languages/languages.ts';
import { textOf } from '../languages/page-error.ts';
import { errorPage } from '../views/error.ts';

const headers = pageHeaders(stylesheet);

export const renderErrorPage =
  (languageOf: ChooseLanguage) =>
  (ctx: Context, error: HttpError): string => {
    ctx.set(headers);
    const { requestId } = stateOf(ctx);
    const language = languageOf(ctx);
    const message = textOf(error, language);
    return errorPage({ language, ...titleOf(error.status, language), message, reference: requestId });
  };

function titleOf(status: number, { texts }: Language): { readonly title: string; readonly next?: string } {
  if (status === 404) return { title: texts.nothingHereTitle };
  if (status === 429) return { title: texts.tooManyRequestsTitle, next: texts.waitAMoment };
  if (status >= 500) return { title: texts.wentWrongTitle, next: texts.noAnswerYet };
  return { title: texts.didNotWorkTitle, next: texts.connectAgain };
}
