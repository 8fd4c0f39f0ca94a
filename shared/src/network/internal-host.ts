/** Owns which hosts are inside the network, where plain http is nobody else's to read (RFC 1918, RFC 4193, RFC 6598, RFC 6762, RFC 8375). */
import { BlockList, isIP } from 'node:net';

/** Suffixes that no public name has; `svc` is what Kubernetes calls its services. */
const SUFFIX = /\.(internal|local|localhost|svc|home\.arpa)$/;

const addresses = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  addresses.addSubnet(network, bits, 'ipv4');
}
addresses.addAddress('::1', 'ipv6');
addresses.addSubnet('fc00::', 7, 'ipv6');
addresses.addSubnet('fe80::', 10, 'ipv6');

/** Whether the host of a URL is a name without dots, a name that is only known inside, or a private address. */
export function isInternal(url: string): boolean {
  const host = (URL.parse(url)?.hostname ?? '').replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family !== 0) return addresses.check(host, family === 4 ? 'ipv4' : 'ipv6');
  return host !== '' && (!host.includes('.') || SUFFIX.test(host));
}

/** Why a URL that only this server asks for can't be used, or `undefined`: http is for places that are inside the network. */
export const plainHttpOutside = (url: string | undefined): string | undefined =>
  url?.startsWith('http:') && !isInternal(url)
    ? `must use https unless it is inside the network (got ${JSON.stringify(url)})`
    : undefined;
