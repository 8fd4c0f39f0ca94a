/** Owns what the doctor records of a host before HTTP: its addresses, and its certificate. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';

export interface Named {
  readonly addresses: readonly string[];
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
  lookup(host: string): Promise<Named>;
  secure(url: URL): Promise<Secured>;
}

export interface ConnectionOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly ca?: readonly string[] | undefined;
}

export const createConnections = ({ timeout, ca }: ConnectionOptions): Connections => ({
  lookup: async (host) => {
    const name = host.replace(/^\[|\]$/g, '');
    if (isIP(name) !== 0) return { addresses: [name] };
    try {
      return { addresses: (await lookup(name, { all: true })).map(({ address }) => address) };
    } catch (error) {
      return { addresses: [], failure: codeOf(error) };
    }
  },
  secure: ({ hostname, port }) =>
    new Promise((resolve) => {
      const host = hostname.replace(/^\[|\]$/g, '');
      const socket = connect({
        host,
        port: Number(port || 443),
        ...(isIP(host) === 0 && { servername: host }),
        // Nothing is sent over this connection: an untrusted certificate is to be described.
        rejectUnauthorized: false,
        ...(ca && { ca: [...ca] }),
      });
      const end = (secured: Secured) => {
        socket.destroy();
        resolve(secured);
      };
      socket.setTimeout(timeout, () => end({ failure: 'TIMEOUT' }));
      socket.once('error', (error) => end({ failure: codeOf(error) }));
      socket.once('secureConnect', () => {
        const untrusted = socket.authorized ? undefined : codeOf(socket.authorizationError);
        end({
          ...described(socket.getPeerCertificate()),
          ...(untrusted && { untrusted }),
          protocol: socket.getProtocol() ?? '',
        });
      });
    }),
});

function described({ subject, issuer, valid_to }: PeerCertificate): Secured {
  const validTo = Date.parse(valid_to);
  const name = (of: PeerCertificate['subject'] | undefined) => [of?.CN ?? of?.O].flat().join(', ');
  return {
    subject: name(subject),
    issuer: name(issuer),
    ...(Number.isFinite(validTo) && { validTo }),
  };
}

const codeOf = (error: unknown): string =>
  error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
