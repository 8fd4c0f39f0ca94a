/**
 * Owns which addresses this server may connect to for an unknown client (CWE-918; draft-ietf-oauth-client-id-metadata-document
 * §8.6): public ones, and no special-purpose ones (RFC 6890 and its IANA registries).
 */
import { BlockList, isIP } from 'node:net';

const IPV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // between a provider and its customers
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // public by number, but the platform of every Azure machine
  '169.254.0.0/16', // link-local: the metadata of cloud machines
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];

/**
 * Global unicast is 2000::/3. Outside of it are loopback, link-local, unique local and multicast, and the forms that hide an
 * IPv4 address: mapped (::ffff:0:0/96), compatible (::/96) and NAT64 (64:ff9b::/96).
 */
const GLOBAL_UNICAST = '2000::/3';
const IPV6 = [
  '2001::/23', // protocol assignments; Teredo, which hides an IPv4 address
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, which hides an IPv4 address
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

function ranges(list: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const block = new BlockList();
  for (const range of list) {
    const [network = '', bits] = range.split('/');
    block.addSubnet(network, Number(bits), family);
  }
  return block;
}

const special4 = ranges(IPV4, 'ipv4');
const special6 = ranges(IPV6, 'ipv6');
const global6 = ranges([GLOBAL_UNICAST], 'ipv6');

export function isPublicAddress(address: string): boolean {
  // An address with a zone is link-local.
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !special4.check(address, 'ipv4');
  return family === 6 && global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}
