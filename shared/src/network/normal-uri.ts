/**
 * Owns the comparison of URIs: equivalent URIs of RFC 3986 §6.2.2 and §6.2.3 have one normal form. Clients with a URL type of their
 * own (pydantic's AnyUrl) send a URI in another spelling than the one that they received.
 */
import { domainToASCII } from 'node:url';

export interface NormalUri {
  readonly text: string;
  /** Of the same length as `text`, but with the host in its original case, unless the scheme uses DNS names. */
  readonly cased: string;
}

/** RFC 3986 appendix B. */
const PARTS = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** Schemes whose host is a case-insensitive DNS name, with their default ports. */
const DNS: ReadonlyMap<string, string> = new Map([
  ['http', '80'],
  ['https', '443'],
  ['ws', '80'],
  ['wss', '443'],
  ['ftp', '21'],
]);

/** The form of nearly all URIs, which is normal already. */
const PLAIN = /^(?!file:)[a-z][a-z0-9+.-]*:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:\/(?!\.)[\w~!$&'()*+,;=:@.-]*)+$/;

/** The one spelling of all that are equivalent. */
export const normalUri = (uri: string): string => normalise(uri).text;

/** @param dots whether dot segments are removed (RFC 3986 §5.2.4) */
export function normalise(uri: string, dots = true): NormalUri {
  if (PLAIN.test(uri)) return both(uri);
  const [, scheme = '', authority, rawPath = '', query = '', fragment = ''] = PARTS.exec(uri) ?? [];
  if (scheme === '') return { text: uri, cased: uri };
  const name = scheme.toLowerCase();
  // RFC 8089 §2: `file:/a`, `file:///a` and `file://localhost/a` are the same.
  const isLocal =
    name === 'file' && (authority === undefined ? rawPath.startsWith('/') : /^localhost$/i.test(authority));
  const place = isLocal ? '' : authority;
  const encoded = encode(rawPath);
  const clean = dots && encoded.startsWith('/') ? withoutDots(encoded) : encoded;
  const path = place !== undefined && clean === '' ? '/' : clean;
  const rest = `${path}${encode(query)}${encode(fragment)}`;
  if (place === undefined) return both(`${name}:${rest}`);
  const { folded, cased } = normalAuthority(place, name);
  return { text: `${name}://${folded}${rest}`, cased: `${name}://${cased}${rest}` };
}

const both = (text: string): NormalUri => ({ text, cased: text });

function normalAuthority(authority: string, scheme: string): { readonly folded: string; readonly cased: string } {
  const at = authority.lastIndexOf('@') + 1;
  const place = authority.slice(at);
  const [, rawHost = place, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(place) ?? [];
  const user = encode(authority.slice(0, at));
  const isDefault = port === '' || port === DNS.get(scheme);
  const end = isDefault ? '' : `:${port}`;
  const host = DNS.has(scheme) ? domainOf(rawHost) : encode(rawHost);
  const folded = `${user}${lowerCase(host)}${end}`;
  return { folded, cased: DNS.has(scheme) ? folded : `${user}${host}${end}` };
}

/** RFC 5891: an internationalized name is another spelling of an ASCII name. */
const domainOf = (host: string): string => (/[^\0-\x7f]/.test(host) ? domainToASCII(host) : '') || encode(host);

/** Lower case, except for escapes, whose letters are upper case. */
const lowerCase = (host: string): string =>
  host.replace(/%[0-9A-F]{2}|[A-Z]+/g, (one) => (one.startsWith('%') ? one : one.toLowerCase()));

/** An escape, or a character that a URI must not contain; a percent sign without an escape stays. */
const ODD = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]/gu;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** RFC 3986 §6.2.2.1 and §6.2.2.2, RFC 3987 §3.1: one spelling for each character. */
function encode(part: string): string {
  return part.replace(ODD, (one) => {
    if (!/^%.+/.test(one)) return encodeURIComponent(one.toWellFormed());
    const character = String.fromCharCode(Number.parseInt(one.slice(1), 16));
    return UNRESERVED.test(character) ? character : one.toUpperCase();
  });
}

/** RFC 3986 §5.2.4, of a path that begins with a slash. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if (isLast && (segment === '.' || segment === '..')) kept.push('');
  }
  return `/${kept.join('/')}`;
}
