/**
 * Owns which URLs this server may read for an unknown client (draft-ietf-oauth-client-id-metadata-document §3, §8.6), decided
 * by the URL alone.
 */
import { isIP } from 'node:net';
import { ClientDocumentError } from '../document-error.ts';
import { type HostPolicy, isAllowed, mayBePrivate } from './hosts.ts';

const LONGEST = 1_024;

/**
 * Names that are only valid inside a network: those of RFC 6761, RFC 6762 (with its appendix G), RFC 8375 and RFC 9476, and those
 * that networks, container platforms and routers use.
 */
const SPECIAL_USE = new RegExp(
  `(^|\\.)(${[
    'localhost', 'local', 'localdomain', 'internal', 'intranet', 'private', 'lan', 'home', 'corp', 'mail', 'arpa', 'test',
    'example', 'invalid', 'onion', 'alt', 'svc', 'pod', 'cluster', 'consul', 'docker', 'workgroup', 'domain', 'router', 'dhcp',
  ].join('|')})$`,
); // biome-ignore format: one list

/**
 * @param text a client id, or the `jwks_uri` of a client
 * @throws ClientDocumentError `url` or `denied_by_policy`
 */
export function readDocumentUrl(text: string, policy: HostPolicy): URL {
  const url = URL.parse(text);
  const refuse = (detail: string): never => {
    throw new ClientDocumentError('url', { host: url?.hostname ?? '', detail });
  };
  if (!url || text.length > LONGEST) return refuse('not a URL, or too long');
  if (url.protocol !== 'https:') return refuse('must use https');
  // The normal form of the URL standard: no dot segments, no empty user, no upper case in the host, no port 443. A URL that two
  // parsers could read differently is refused.
  if (url.href !== text) return refuse(`must be in normal form, such as ${url.origin}${url.pathname}`);
  if (url.username || url.password) return refuse('must not contain a user');
  if (text.includes('#')) return refuse('must not have a fragment');
  if (url.pathname === '/') return refuse('must have a path');
  if (!isAllowed(policy, url)) throw new ClientDocumentError('denied_by_policy', { host: url.hostname });
  if (mayBePrivate(policy, url)) return url;
  const flaw = flawOfHost(url);
  return flaw ? refuse(flaw) : url;
}

/** Why a host cannot be public, by its name and port; undefined if it can. */
export function flawOfHost({ hostname, port }: URL): string | undefined {
  // With a free choice of the port, anybody could use this server as a port scanner.
  if (port) return 'must use the default port of https';
  if (isIP(hostname.replace(/^\[|\]$/g, ''))) return 'must have a host name, not an address';
  const isPublic = /\.[^.]+$/.test(hostname) && !SPECIAL_USE.test(hostname);
  return isPublic ? undefined : 'must have a public host name';
}
