/**
 * Owns a connection through an HTTP proxy (RFC 9110 §9.3.6 CONNECT): the proxy learns only name and port of the other side, and
 * forwards end-to-end TLS.
 */
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';

/** The proxy is unreachable or refused, which says nothing about the other side. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError';
}

/** @returns a connection to the host of an https URL. @throws TunnelError */
export function openTunnel(proxy: URL, { hostname, port }: URL, signal: AbortSignal): Promise<Socket> {
  const authority = `${hostname}:${port || 443}`;
  const isTls = proxy.protocol === 'https:';
  const fail = (why: string, cause?: unknown) =>
    new TunnelError(`the proxy ${proxy.host} ${why}`, cause === undefined ? undefined : { cause });
  return new Promise((resolve, reject) => {
    const asked = (isTls ? httpsRequest : httpRequest)({
      host: bare(proxy.hostname),
      // Without it the certificate of the proxy would be compared with the Host field.
      servername: serverNameOf(proxy),
      port: proxy.port || (isTls ? 443 : 80),
      method: 'CONNECT',
      path: authority,
      headers: { Host: authority, ...authorization(proxy) },
      // A separate agent: that of the process may use a proxy itself.
      agent: isTls ? new HttpsAgent() : new HttpAgent(),
      signal,
    });
    asked.once('connect', ({ statusCode = 0 }, socket: Socket, first: Buffer) => {
      if (statusCode >= 200 && statusCode < 300 && first.length === 0) return resolve(socket);
      socket.destroy();
      reject(fail(`answered ${statusCode} to CONNECT ${authority}`));
    });
    asked.once('response', (response) => {
      response.destroy();
      reject(fail(`answered ${response.statusCode} to CONNECT ${authority}`));
    });
    asked.on('error', (cause) => reject(fail('could not be reached', cause)));
    asked.end();
  });
}

/** TLS with the host of a URL over an existing connection: the certificate must be for that host (RFC 9110 §4.3.4). */
export const secure = (socket: Socket, url: URL): Socket =>
  connect({ socket, host: bare(url.hostname), servername: serverNameOf(url) });

/** RFC 6066 §3: an address is not a server name; the certificate is still checked against it. */
const serverNameOf = ({ hostname }: URL): string => (isIP(bare(hostname)) ? '' : bare(hostname));

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');

/** RFC 9110 §11.7.1, RFC 7617. */
function authorization({ username, password }: URL): Readonly<Record<string, string>> {
  if (!username && !password) return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}
