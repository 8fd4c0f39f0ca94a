/**
 * Owns where a server may send this program with its documents: a server of the internet must not reach this machine or its network
 * through it (CWE-918; MCP security best practices, "Server-Side Request Forgery").
 */
import { isIP } from 'node:net';
import { StartError } from '@mcp-oauth/shared/errors';
import { isPublicAddress } from '@mcp-oauth/shared/network/address-ranges';
import { isInternal, isLoopback } from '@mcp-oauth/shared/network/internal-host';
import type { Fetch } from '@mcp-oauth/shared/network/outgoing-fetch';

/**
 * Whether a server of the internet names an address of this machine or of its network. A name is not looked up: over https its
 * certificate shows that it is meant.
 */
export const isStray = (server: URL, target: URL): boolean =>
  !isInternal(server.href) && (isLoopback(target.href) || isPrivateAddress(target));

function isPrivateAddress({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return isIP(host) !== 0 && !isPublicAddress(host);
}

/** Why a URL that a server names is not used, or `undefined`: RFC 8414 §2 and RFC 6749 §3.1 want https. */
export function flawOf(server: URL, target: URL): string | undefined {
  if (target.origin === server.origin) return undefined;
  if (isStray(server, target)) return 'which is inside this network, and the server is not';
  const isInside = isInternal(server.href) && isInternal(target.href);
  return target.protocol === 'https:' || isInside ? undefined : 'which is not https';
}

/** @throws StartError for a URL that a server may not name */
export function requireReach(server: URL, target: URL): void {
  const flaw = flawOf(server, target);
  if (flaw) throw new StartError(`${server.host} leads to ${target.origin}, ${flaw}`);
}

/** A fetch for the URLs that a server names. */
export const withinReach =
  (fetch: Fetch, server: URL): Fetch =>
  async (input, init) => {
    requireReach(server, new URL(input instanceof Request ? input.url : input));
    return fetch(input, init);
  };
