/** Owns what a section of the account page is: what it shows of a person, and what its forms do. */
import type { Html } from '@mcp-oauth/shared/pages/html';
import type { Context } from 'koa';
import type { Language } from '../../languages/language.ts';
import type { PageSession } from '../page-session/page-sessions.ts';

export interface AccountSection {
  /** @returns `undefined` if there is nothing to show */
  show(view: SectionView): Promise<Html | undefined>;
  /** What a form at `/account/<name>` does. Its person, its token and its origin were checked. */
  readonly acts: Readonly<Record<string, Act>>;
}

interface SectionView {
  readonly session: PageSession;
  readonly language: Language;
  /** Path of the account page; the forms post to `<path>/<name>`. */
  readonly path: string;
  /** For the hidden field `token` of each form. */
  readonly token: string;
  /** Of the request for the page. */
  readonly query: URLSearchParams;
}

/**
 * @returns what the page shows on top, once; `undefined` to show the page again by a redirect, so that a reload repeats nothing.
 * An act may also answer the request itself, by a body.
 */
type Act = (ctx: Context, request: ActRequest) => Promise<Html | undefined>;

interface ActRequest {
  readonly session: PageSession;
  readonly language: Language;
  readonly form: URLSearchParams;
  /** Path of the account page. */
  readonly path: string;
}
