/**
 * Owns the names of the cookies of browser sessions. Cookies ignore ports, and a session needs the path `/`: a second server at this host,
 * with another issuer path, uses other names, so that neither gets a session of the other or ends it.
 */
import { createHash } from 'node:crypto';
import { urlPath } from '@mcp-oauth/shared/contract';

/** With the prefix `__Host-` (RFC 6265bis §4.1.3.2), which requires https, no other host of the domain can set the cookie. */
export function sessionCookieName(name: string, issuer: string): string {
  const path = urlPath(issuer);
  const own = path && `_${createHash('sha256').update(path).digest('base64url').slice(0, 12)}`;
  return `${issuer.startsWith('https:') ? '__Host-' : ''}${name}${own}`;
}
