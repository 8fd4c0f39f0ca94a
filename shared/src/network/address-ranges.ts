/**
 * Owns the special-purpose address ranges (RFC 6890 and its IANA registries), each under one name, how a list of ranges is parsed
 * and matched, and which addresses are public.
 */
import { BlockList, isIP, isIPv6 } from 'node:net';

/** This machine. */
export const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** RFC 1918, RFC 4193: private networks. */
export const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'];

/** RFC 6598: between a provider and its customers. */
export const SHARED_SPACE = ['100.64.0.0/10'];

/** RFC 3927: link-local, including the metadata services of clouds. */
export const LINK_LOCAL_IPV4 = ['169.254.0.0/16'];
/** RFC 4291 §2.5.6. */
export const LINK_LOCAL_IPV6 = ['fe80::/10'];

/** RFC 4291 §2.4: every public IPv6 address. */
export const GLOBAL_UNICAST = ['2000::/3'];

/**
 * Every range that is not public. Outside of global unicast, IPv6 has more ranges, which contain an IPv4 address: mapped
 * (::ffff:0:0/96), compatible (::/96) and NAT64 (64:ff9b::/96).
 */
export const SPECIAL_PURPOSE = [
  ...LOOPBACK,
  ...PRIVATE,
  ...SHARED_SPACE,
  ...LINK_LOCAL_IPV4,
  ...LINK_LOCAL_IPV6,
  '0.0.0.0/8', // this network
  '168.63.129.16/32', // public by number, but the platform of every Azure machine
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '2001::/23', // protocol assignments; Teredo, which hides an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which hides an IPv4 address
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

/** @throws TypeError for an invalid range */
export function blockListOf(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) if (!addRange(list, range)) throw new TypeError(`${range} is not a range of addresses`);
  return list;
}

/** Adds an address or a CIDR range to a list. @returns whether it was valid */
export function addRange(list: BlockList, range: string): boolean {
  const [address = '', bits] = range.split('/');
  const widest = { 4: 32, 6: 128 }[isIP(address)];
  if (widest === undefined || address.includes('%')) return false;
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= widest)) return false;
  list.addSubnet(address, Number(bits ?? widest), isIPv6(address) ? 'ipv6' : 'ipv4');
  return true;
}

/** @param address an IP address in any spelling */
export const contains = (list: BlockList, address: string): boolean =>
  list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');

const special = blockListOf(...SPECIAL_PURPOSE);
const global6 = blockListOf(...GLOBAL_UNICAST);

/** Whether a request to this address leaves the network (CWE-918); `false` for a text that is no address. */
export function isPublicAddress(address: string): boolean {
  // An address with a zone is link-local.
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !contains(special, address);
  return family === 6 && contains(global6, address) && !contains(special, address);
}
