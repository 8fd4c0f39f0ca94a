/** Owns an error with a text for people: in English on the wire and in the log, in the language of the browser on a page. */
import { HttpError, type HttpErrorDetails } from '@mcp-oauth/shared/errors';
import { english } from './english.ts';
import { inWords, type Language, type Said, said } from './language.ts';

interface PageErrorDetails extends HttpErrorDetails {
  /** What the person can do next. Absent: the status decides, for somebody whom an app has sent. */
  readonly next?: Said;
}

export class PageError extends HttpError {
  readonly text: Said;
  readonly next: Said | undefined;

  constructor(status: number, code: string, text: Said, { next, ...details }: PageErrorDetails = {}) {
    super(status, code, inWords(english, text), details);
    this.text = text;
    this.next = next;
  }
}

/** The text of an error for a page. Errors of libraries have none of their own, so their status decides. */
export function textOf(error: HttpError, language: Language): string {
  if (error instanceof PageError) return inWords(language, error.text);
  const { texts } = language;
  if (error.status >= 500) return texts.wentWrong;
  if (error.status === 404) return texts.nothingHere;
  if (error.status === 413) return texts.tooLarge;
  return error.status === 429 ? texts.tooManyRequests : texts.unreadable;
}

export const onlyGet = (): PageError =>
  new PageError(405, 'invalid_request', said('onlyGet'), { headers: { Allow: 'GET' } });
