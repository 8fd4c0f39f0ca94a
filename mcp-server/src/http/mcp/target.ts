/** Owns the reading of the request target (RFC 9112 §3.2): its path, its host, and whether it contains a token. */
import type { IncomingMessage } from 'node:http';

export interface Target {
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** RFC 9112 §3.2.2: an absolute target contains the host, which overrides the header. */
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
