/** Owns reading the request target (RFC 9112 §3.2): which path was asked for, under which host, and whether a token stands in it. */
import type { IncomingMessage } from 'node:http';

export interface Target {
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  /** RFC 9112 §3.2.2: an absolute target names the host itself, and its word counts more than the header's. */
  readonly host: string;
}

export function targetOf({ url = '', headers }: IncomingMessage): Target {
  if (url.charCodeAt(0) !== SLASH) return absoluteTarget(url);
  const mark = url.indexOf('?');
  const host = headers.host ?? '';
  return mark < 0 ? { path: url, query: '', host } : { path: url.slice(0, mark), query: url.slice(mark + 1), host };
}

const SLASH = 47;

function absoluteTarget(url: string): Target {
  const parsed = /^https?:\/\//i.test(url) ? URL.parse(url) : null;
  return parsed ? { path: parsed.pathname, query: parsed.search.slice(1), host: parsed.host } : NOWHERE;
}

const NOWHERE: Target = { path: '', query: '', host: '' };

/** RFC 6750 §2.3: tokens in URLs end up in logs and histories. */
export const carriesToken = ({ query }: Target): boolean =>
  query !== '' && new URLSearchParams(query).has('access_token');
