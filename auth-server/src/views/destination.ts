/**
 * Owns the words for a redirect URI: where the answer goes, in a way that a person can judge (RFC 8252 §7, §8.6; MCP: a host
 * that vouches for a client can't vouch for what listens on a person's own machine).
 */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

export interface Destination {
  /** What can be recognized: a host, or the scheme of an app. */
  readonly place: string;
  /** What kind of place that is. */
  readonly about?: string;
  readonly warning?: string;
}

/** @param publisher the host that vouches for the client */
export function destinationOf(redirectUri: string, publisher?: string): Destination {
  const { protocol, host, hostname } = URL.parse(redirectUri) ?? { protocol: 'unknown:', host: '', hostname: '' };
  if (protocol === 'http:' && isLoopback(redirectUri)) {
    return {
      place: hostname,
      about: 'a program on this computer',
      warning: `Any program on this computer can ${publisher ? `claim to be from ${publisher}` : 'ask like this'}. Continue only if you just started it yourself.`,
    };
  }
  if (protocol === 'https:' || protocol === 'http:') return { place: host, about: 'a website' };
  return {
    place: `${protocol}//${host}`,
    about: 'an app on this device',
    warning: 'Any app on this device can claim this address. Continue only if you just started it yourself.',
  };
}
