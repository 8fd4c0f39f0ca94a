/**
 * Owns the description of a redirect URI, so that a person can judge where the answer goes (RFC 8252 §7, §8.6; MCP: the host that
 * publishes a client cannot vouch for a program on the person's own machine).
 */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';
import { type Said, said } from '../languages/language.ts';

export interface Destination {
  /** The recognizable part: a host, or the scheme of an app. */
  readonly place: string;
  /** The kind of destination. */
  readonly about?: Said;
  readonly warning?: Said;
}

/** A device gets no redirect: its person compares the code. */
export const deviceOf = (userCode: string): Destination => ({
  place: userCode,
  about: said('device'),
  warning: said('deviceWarning'),
});

/** @param publisher the host that publishes the client */
export function destinationOf(redirectUri: string, publisher?: string): Destination {
  const url = URL.parse(redirectUri);
  if (!url) return { place: redirectUri };
  const { protocol, host, hostname } = url;
  if (protocol === 'http:' && isLoopback(redirectUri)) {
    return {
      place: hostname,
      about: said('program'),
      warning: publisher ? said('programOfWarning', { publisher }) : said('programWarning'),
    };
  }
  if (protocol === 'https:' || protocol === 'http:') return { place: host, about: said('website') };
  return {
    place: `${protocol}//${host}`,
    about: said('app'),
    warning: said('appWarning'),
  };
}
