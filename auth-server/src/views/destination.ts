/**
 * Owns the description of a redirect URI, so that a person can judge where the answer goes (RFC 8252 §7, §8.6; MCP: the host that
 * publishes a client cannot vouch for a program on the person's own machine).
 */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

export interface Destination {
  /** The recognizable part: a host, or the scheme of an app. */
  readonly place: string;
  /** The kind of destination. */
  readonly about?: string;
  readonly warning?: string;
}

/** @param publisher the host that publishes the client */
export function destinationOf(redirectUri: string, publisher?: string): Destination {
  const { protocol, host, hostname } = URL.parse(redirectUri) ?? { protocol: 'unknown:', host: '', hostname: '' };
  if (protocol === 'http:' && isLoopback(redirectUri)) {
    return {
      place: hostname,
      about: 'a program on this computer',
      warning: `Any program on this computer can ${publisher ? `claim to be from ${publisher}` : 'send such a request'}. Continue only if you just started it yourself.`,
    };
  }
  if (protocol === 'https:' || protocol === 'http:') return { place: host, about: 'a website' };
  return {
    place: `${protocol}//${host}`,
    about: 'an app on this device',
    warning: 'Any app on this device can claim this address. Continue only if you just started it yourself.',
  };
}
