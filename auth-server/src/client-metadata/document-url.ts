/**
 * Owns which URLs this server may read for a stranger (draft-ietf-oauth-client-id-metadata-document §3, §8.6), decided by
 * looking at the URL alone.
 */
import { isIP } from 'node:net';
import { ClientMetadataError } from './failure.ts';
import { type HostPolicy, isAllowed, mayBePrivate } from './hosts.ts';

const LONGEST = 1_024;

/** RFC 6761, RFC 6762, RFC 8375, RFC 9476 and what networks use in their place: names that mean something only inside. */
const SPECIAL_USE =
  /(^|\.)(localhost|local|localdomain|internal|intranet|private|lan|home|corp|arpa|test|example|invalid|onion|alt)$/;

/**
 * @param text a client id, or the `jwks_uri` of a client
 * @throws ClientMetadataError `url` or `denied_by_policy`
 */
export function readDocumentUrl(text: string, policy: HostPolicy): URL {
  const url = URL.parse(text);
  const refuse = (detail: string): never => {
    throw new ClientMetadataError('url', { host: url?.hostname ?? '', detail });
  };
  if (!url || text.length > LONGEST) return refuse('no URL, or a very long one');
  if (url.protocol !== 'https:') return refuse('must use https');
  // Spelled as a browser would spell it: no dot segments, no empty user, no capitals in the host, no port 443. What two
  // parsers could read in two ways does not come through.
  if (url.href !== text) return refuse(`must be in normal form, such as ${url.origin}${url.pathname}`);
  if (url.username || url.password) return refuse('must not name a user');
  if (text.includes('#')) return refuse('must not have a fragment');
  if (url.pathname === '/') return refuse('must have a path');
  if (!isAllowed(policy, url)) throw new ClientMetadataError('denied_by_policy', { host: url.hostname });
  if (mayBePrivate(policy, url)) return url;
  // Whoever may choose the port can have other people's machines scanned from here.
  if (url.port) return refuse('must use the port of https');
  if (isIP(url.hostname.replace(/^\[|\]$/g, ''))) return refuse('must have a host name, not an address');
  if (!/\.[^.]+$/.test(url.hostname)) return refuse('must have a public host name');
  if (SPECIAL_USE.test(url.hostname)) return refuse('must have a public host name');
  return url;
}
