/** Owns what a proxy does to a server: TLS that the server does not know of, so that it writes http URLs, and buffers. */
import { isLoopback } from '@mcp-oauth/shared/network/internal-host';

export const PROXY =
  'The server builds this URL from the request and does not know of the TLS in front of it. Configure its public URL, or let it trust X-Forwarded-Proto of your proxy.';

export const UNBUFFER =
  'Switch buffering off for the MCP endpoint: proxy_buffering off (nginx), flush_interval -1 (Caddy), or the header X-Accel-Buffering: no. Compression buffers as well.';

/** Whether a URL that clients are told is plain http, where it must not be. */
export const behindProxy = (server: URL, told: URL): boolean =>
  told.protocol === 'http:' && (server.protocol === 'https:' || !isLoopback(told.href));
