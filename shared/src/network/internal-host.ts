/**
 * Owns which hosts are this machine (RFC 8252 §7.3), and which are inside the network, where plain http is acceptable
 * (RFC 1918, RFC 4193, RFC 6598, RFC 6762, RFC 8375).
 */
import { isIP } from 'node:net';
import {
  blockListOf,
  contains,
  LINK_LOCAL_IPV4,
  LINK_LOCAL_IPV6,
  LOOPBACK,
  PRIVATE,
  SHARED_SPACE,
} from './address-ranges.ts';

/** As the host of a URL is written. */
export const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** Whether a URL or origin points at this machine (RFC 8252 §7.3). */
export const isLoopback = (url: string): boolean => LOOPBACK_HOSTS.includes(URL.parse(url)?.hostname ?? '');

/** Suffixes that no public name has; `svc` is used by Kubernetes. */
const SUFFIX = /\.(internal|local|localhost|svc|home\.arpa)$/;

const addresses = blockListOf(...LOOPBACK, ...PRIVATE, ...SHARED_SPACE, ...LINK_LOCAL_IPV4, ...LINK_LOCAL_IPV6);

/** Whether the host of a URL is a name without dots, a name that is only valid inside, or a private address. */
export function isInternal(url: string): boolean {
  const host = (URL.parse(url)?.hostname ?? '').replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0) return contains(addresses, host);
  return host !== '' && (!host.includes('.') || SUFFIX.test(host));
}

/** Why a URL that only this server requests is refused, or `undefined`: plain http is for hosts inside the network only. */
export const plainHttpOutside = (url: string | undefined): string | undefined =>
  url?.startsWith('http:') && !isInternal(url)
    ? `must use https unless it is inside the network (got ${JSON.stringify(url)})`
    : undefined;
