/** Owns which pages a person signs in to, and so where a browser may go on after a sign-in: nowhere else (RFC 9700 §4.11). */
import type { Context } from 'koa';

/** The first page is for a request that names none. */
const PAGES = ['/account', '/admin'] as const;

/** The pages of links have no first one. Each posts its form to itself. */
const LINKS = '/connect/';

/** A part may be the id of a client, which may be a URL. */
const PART = /^(\/[\w-]{1,1024}){1,4}$/;

/** The path below the issuer, if it is one of the pages or below one; otherwise the first page. */
export function pagePathOf(path: unknown): string {
  if (typeof path !== 'string') return PAGES[0];
  const plain = path.replace(/\/$/, '');
  const isBelow = PAGES.some((page) => plain === page || plain.startsWith(`${page}/`)) || plain.startsWith(LINKS);
  return PART.test(plain) && isBelow ? plain : PAGES[0];
}

/** Where to go on after the sign-in that a request needs: a form is never sent again, so the person sees its page. */
export function pathToReturnTo({ method, path }: Pick<Context, 'method' | 'path'>): string {
  const isPage = method === 'GET' || method === 'HEAD' || path.startsWith(LINKS);
  return pagePathOf(isPage ? path : path.split('/').slice(0, 2).join('/'));
}
