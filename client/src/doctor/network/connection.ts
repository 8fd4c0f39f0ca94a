/** Owns what the doctor records of a host before HTTP: its addresses, and its certificate. */
import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { openTunnel } from '@mcp-oauth/shared/network/tunnel';
import { codeOf, type ProxyFor } from './proxy.ts';

export interface Named {
  readonly addresses: readonly string[];
  /** The proxy that looks the name up. */
  readonly proxy?: string;
  /** Why there are none: a code of Node.js. */
  readonly failure?: string;
}

export interface Secured {
  /** Why the certificate is not trusted: a code of OpenSSL. */
  readonly untrusted?: string;
  /** Why there was no connection, or no TLS. */
  readonly failure?: string;
  readonly subject?: string;
  readonly issuer?: string;
  /** Milliseconds since the epoch. */
  readonly validTo?: number;
  readonly protocol?: string;
}

export interface Connections {
  lookup(url: URL): Promise<Named>;
  secure(url: URL): Promise<Secured>;
}

export interface ConnectionOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly proxyFor: ProxyFor;
}

export const createConnections = ({ timeout, proxyFor }: ConnectionOptions): Connections => ({
  lookup: async (url) => {
    const proxy = proxyFor(url);
    if (proxy) return { addresses: [], proxy: proxy.host };
    const name = bare(url);
    if (isIP(name) !== 0) return { addresses: [name] };
    try {
      const found = await inTime(lookup(name, { all: true }), timeout);
      return { addresses: found.map(({ address }) => address) };
    } catch (error) {
      return { addresses: [], failure: codeOf(error) };
    }
  },
  secure: async (url) => {
    const proxy = proxyFor(url);
    try {
      const tunnel = proxy && (await openTunnel(proxy, url, AbortSignal.timeout(timeout)));
      return await handshake(url, tunnel, timeout);
    } catch (error) {
      return { failure: codeOf(error) };
    }
  },
});

function handshake(url: URL, tunnel: Socket | undefined, timeout: number): Promise<Secured> {
  const host = bare(url);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ...(tunnel && { socket: tunnel }),
      ...(isIP(host) === 0 && { servername: host }),
      // Nothing is sent over this connection: an untrusted certificate is to be described.
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => socket.destroy(late()), timeout);
    socket.once('close', () => clearTimeout(timer));
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const untrusted = socket.authorized ? undefined : codeOf(socket.authorizationError);
      const protocol = socket.getProtocol() ?? '';
      resolve({ ...described(socket.getPeerCertificate()), ...(untrusted && { untrusted }), protocol });
      socket.destroy();
    });
  });
}

const late = () => Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' });

/** A look-up can't be ended, and may take as long as the resolver of the system likes. */
function inTime<T>(work: Promise<T>, timeout: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(late()), timeout);
  return Promise.race([work, promise]).finally(() => clearTimeout(timer));
}

const bare = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

function described({ subject, issuer, valid_to }: PeerCertificate): Secured {
  const validTo = Date.parse(valid_to);
  const name = (of: PeerCertificate['subject'] | undefined) => [of?.CN ?? of?.O].flat().join(', ');
  return {
    subject: name(subject),
    issuer: name(issuer),
    ...(Number.isFinite(validTo) && { validTo }),
  };
}
