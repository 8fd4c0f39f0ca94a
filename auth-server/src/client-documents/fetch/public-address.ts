/**
 * Owns which addresses this server may connect to for an unknown client (CWE-918; draft-ietf-oauth-client-id-metadata-document
 * §8.6): public ones, and no special-purpose ones (RFC 6890 and its IANA registries).
 */
import { isIP } from 'node:net';
import { blockListOf, contains, GLOBAL_UNICAST, SPECIAL_PURPOSE } from '@mcp-oauth/shared/network/address-ranges';

const special = blockListOf(...SPECIAL_PURPOSE);
const global6 = blockListOf(...GLOBAL_UNICAST);

export function isPublicAddress(address: string): boolean {
  // An address with a zone is link-local.
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !contains(special, address);
  return family === 6 && contains(global6, address) && !contains(special, address);
}
