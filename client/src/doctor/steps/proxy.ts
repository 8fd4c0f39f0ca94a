/** Owns how a server is recognised that does not know of the TLS in front of it: it makes http URLs of its own https ones. */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

export const PROXY =
  'The server builds this URL from the request and does not know of the TLS in front of it. Configure its public URL, or let it trust X-Forwarded-Proto of your proxy.';

/** Whether a URL that clients are told is plain http, where it must not be. */
export const behindProxy = (server: URL, told: URL): boolean =>
  told.protocol === 'http:' && (server.protocol === 'https:' || !isLoopback(told.href));
