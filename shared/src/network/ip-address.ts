/**
 * Owns how an IP address of a socket or a proxy is parsed and normalized (RFC 4291 §2.2, RFC 5952): a zone (RFC 4007 §11), a port,
 * brackets and quotes (RFC 7239 §6) are removed, and an IPv4-mapped IPv6 address becomes the IPv4 address.
 */
import { isIP, isIPv6 } from 'node:net';

/** Longer than any address with zone, port, brackets and quotes. */
const LONGEST = 128;
const WRITTEN = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/;

/** @returns an IPv4 address, or an IPv6 address as eight groups; undefined for anything else */
export function readAddress(text: string): string | undefined {
  const written = text.trim().replace(/^"(.*)"$/, '$1');
  if (written.length > LONGEST) return undefined;
  const address = (isIPv6(written) ? written : withoutPort(written)).replace(/%.*$/, '');
  const family = isIP(address);
  if (family === 4) return address;
  return family === 6 ? plain(groupsOf(address)) : undefined;
}

function withoutPort(written: string): string {
  const [, bracketed, other = ''] = WRITTEN.exec(written) ?? [];
  return bracketed ?? other;
}

/** All eight groups, also if some were left out or written as IPv4. */
function groupsOf(address: string): readonly string[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string | undefined) => (part ? part.split(':') : []);
  const zeros = 8 - groups(head).length - groups(tail).length;
  return [...groups(head), ...Array<string>(zeros).fill('0'), ...groups(tail)];
}

/** `::ffff:10.0.0.1`, which a dual-stack socket reports, is 10.0.0.1 (RFC 4291 §2.5.5.2). */
function plain(groups: readonly string[]): string {
  const [high = 0, low = 0] = groups.slice(6).map((group) => Number.parseInt(group, 16));
  const isMapped = groups.slice(0, 6).join(':') === '0:0:0:0:0:ffff';
  return isMapped ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : groups.join(':');
}

/** The key of a limit: one person may have a whole IPv6 network (RFC 6177), so a /64 is one caller. */
export const countable = (address: string): string =>
  address.includes(':') ? address.split(':').slice(0, 4).join(':') : address;
