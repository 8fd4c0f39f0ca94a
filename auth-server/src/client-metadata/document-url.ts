/**
 * Owns which URLs this server may read for a stranger (draft-ietf-oauth-client-id-metadata-document §3, §8.6), decided by
 * looking at the URL alone.
 */
import { isIP } from 'node:net';
import { ClientMetadataError } from './failure.ts';
import { type HostPolicy, isAllowed, mayBePrivate } from './hosts.ts';

const LONGEST = 1_024;

/**
 * RFC 6761, RFC 6762 (its appendix G, too), RFC 8375, RFC 9476 and what networks, container platforms and routers use in their
 * place: names that mean something only inside.
 */
const SPECIAL_USE = new RegExp(
  `(^|\\.)(${[
    'localhost', 'local', 'localdomain', 'internal', 'intranet', 'private', 'lan', 'home', 'corp', 'mail', 'arpa', 'test',
    'example', 'invalid', 'onion', 'alt', 'svc', 'pod', 'cluster', 'consul', 'docker', 'workgroup', 'domain', 'router', 'dhcp',
  ].join('|')})$`,
); // biome-ignore format: one list

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
  if (url.username || url.password) return refuse('must not contain a user');
  if (text.includes('#')) return refuse('must not have a fragment');
  if (url.pathname === '/') return refuse('must have a path');
  if (!isAllowed(policy, url)) throw new ClientMetadataError('denied_by_policy', { host: url.hostname });
  if (mayBePrivate(policy, url)) return url;
  const flaw = flawOfHost(url);
  return flaw ? refuse(flaw) : url;
}

/** Why a host can't be one that the whole internet knows, by its name and port; undefined where nothing speaks against it. */
export function flawOfHost({ hostname, port }: URL): string | undefined {
  // Whoever may choose the port can have other people's machines scanned from here.
  if (port) return 'must use the port of https';
  if (isIP(hostname.replace(/^\[|\]$/g, ''))) return 'must have a host name, not an address';
  const isPublic = /\.[^.]+$/.test(hostname) && !SPECIAL_USE.test(hostname);
  return isPublic ? undefined : 'must have a public host name';
}
