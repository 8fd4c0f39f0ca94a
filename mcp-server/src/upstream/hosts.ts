/**
 * Owns the decision where a request with the token of a person may go: to the origins of its upstream, and nowhere else. A pure
 * function. The request goes to the URL as it was parsed here, so nothing is read in two ways.
 */
import type { ConfiguredUpstream } from './settings.ts';

/** The URL leads elsewhere, or is written in a way that nobody writes by intention. */
export class UrlRefused extends Error {
  override readonly name = 'UrlRefused';
}

/** What parsers drop or rewrite: white space, control characters and backslashes, which are slashes to some. */
const REWRITTEN = /[\p{Cc}\p{Z}\\]/u;

/**
 * The URL of a request. One that begins with a slash is a path of the API.
 * @throws UrlRefused whose message names hosts and never the rest of a URL, in which a secret may be
 */
export function urlAt({ id, base, origins }: ConfiguredUpstream, asked: string | URL): URL {
  const text = String(asked);
  const refuse = (why: string) => new UrlRefused(`the URL for ${id} ${why}`);
  if (REWRITTEN.test(text)) throw refuse('has a backslash, a space or a control character: encode it');
  if (text.startsWith('//')) throw refuse('begins with two slashes: write a path, or the whole URL');
  const url = URL.parse(text.startsWith('/') ? base + text : text);
  if (!url) throw refuse('is neither a path that begins with a slash nor a whole URL');
  if (url.username || url.password) throw refuse('has a user or a password');
  if (!origins.has(url.origin)) {
    throw refuse(`leads to ${originOf(url)}, which does not get its tokens; those that do: ${[...origins].join(', ')}`);
  }
  url.hash = '';
  return url;
}

/** A scheme such as `data:` has the origin "null". */
const originOf = ({ origin, protocol }: URL): string => (origin === 'null' ? protocol : origin);

/** Whether a redirect of the upstream may be followed with its token. */
export function redirectedTo(upstream: ConfiguredUpstream, from: URL, location: string | null): URL | undefined {
  const to = location === null ? null : URL.parse(location, from.href);
  return to && upstream.origins.has(to.origin) && !to.username && !to.password ? to : undefined;
}
