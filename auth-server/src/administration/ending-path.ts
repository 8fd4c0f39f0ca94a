/**
 * Owns the path of the page on which something ends, below the pages of the operator. An id may be a URL or odd text, so the path has
 * it in base64url: a browser comes back to the same page after it was sent to sign in.
 */
import type { Target } from '../revocation/endings.ts';

/** What has an id of its own; everything has a moment instead. */
export type EndedByLink = Exclude<Target['kind'], 'everything'>;

export const pathToEnd = (kind: EndedByLink, id: string): string =>
  `/end/${kind}/${Buffer.from(id).toString('base64url')}`;

const PATH = /^\/end\/(grant|client|person|key)\/([\w-]{1,1024})$/;

/** @returns the target of a page that ends one thing; `undefined` for any other path, and for an id that is not text */
export function targetIn(path: string): Exclude<Target, { readonly kind: 'everything' }> | undefined {
  const [, kind, encoded = ''] = PATH.exec(path) ?? [];
  const id = Buffer.from(encoded, 'base64url').toString('utf8');
  // Only one path leads to an id, so that what was shown is what the form ends.
  if (kind === undefined || Buffer.from(id).toString('base64url') !== encoded) return undefined;
  if (kind === 'person') return { kind, accountId: id };
  return kind === 'key' ? { kind, kid: id } : { kind: kind as 'grant' | 'client', id };
}
