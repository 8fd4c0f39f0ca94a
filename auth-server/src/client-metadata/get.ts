/**
 * Owns one GET request to a place that a stranger names (CWE-918; draft-ietf-oauth-client-id-metadata-document §5, §8.6,
 * §8.7): to public addresses only, or through a proxy that sees to that, once, without redirects, bounded in time and size.
 */
import { promises as dns } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { isIP, isIPv6, type LookupFunction, type Socket } from 'node:net';
import { openTunnel, secure, TunnelError } from '@mcp-oauth/shared/network/tunnel';
import { flawOfHost } from './document-url.ts';
import { ClientMetadataError, type Reason } from './failure.ts';
import { isPublicAddress } from './public-address.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

interface GetOptions {
  /** Largest body in bytes. */
  readonly limit: number;
  /** Validator of a copy that is already here (RFC 9110 §13.1.2). */
  readonly etag?: string | undefined;
  /** The host may be inside the network. */
  readonly mayBePrivate: boolean;
}

/** @throws ClientMetadataError */
export type Get = (url: URL, options: GetOptions) => Promise<Answer>;

/** The addresses of a host; rejects where there are none. */
type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface Network {
  /** Name servers for public hosts, as `address:port`; absent: those of the machine. */
  readonly nameServers?: readonly string[];
  /** In the place of asking them. */
  readonly resolve?: Resolve;
  readonly isPublic?: (address: string) => boolean;
  /** Carries every request to a public host; what its names lead to is its matter. */
  readonly proxy?: URL | undefined;
  /** Milliseconds for everything, name and body included. */
  readonly timeout?: number;
}

const TIMEOUT = 3_000;

/**
 * DNS and nothing else: no hosts file, no search domains that turn a public name into an inner one. And not on the threads
 * that sign tokens, which slow name servers of a stranger could keep busy, as `getaddrinfo` does.
 */
const askDns =
  (servers?: readonly string[]): Resolve =>
  async (hostname, signal) => {
    const resolver = new dns.Resolver({ timeout: 500, tries: 2 });
    if (servers) resolver.setServers(servers);
    signal.addEventListener('abort', () => resolver.cancel(), { once: true });
    const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  };

/** What the machine knows: the hosts file, too. */
const askSystem: Resolve = async (hostname) => {
  const name = hostname.replace(/^\[|\]$/g, '');
  return (await dns.lookup(name, { all: true })).map(({ address }) => address);
};

export function createGet(network: Network = {}): Get {
  const { nameServers, resolve = askDns(nameServers), isPublic = isPublicAddress, proxy, timeout = TIMEOUT } = network;
  const outside = proxy ? routeThrough(proxy) : routeTo(resolve, isPublic);
  const inside = routeTo(askSystem, () => true);
  return async (url, options) => {
    const signal = AbortSignal.timeout(timeout);
    const find = options.mayBePrivate ? inside : outside;
    const run = async (): Promise<Answer> => {
      const response = await send(url, options, await find(url, signal), signal);
      const { statusCode: status = 0 } = response;
      return {
        status,
        headers: plain(response),
        body: status === 200 ? await read(response, options.limit) : drop(response),
      };
    };
    try {
      return await before(signal, run());
    } catch (cause) {
      const detail = signal.aborted ? `no answer within ${timeout} ms` : messageOf(cause);
      throw new ClientMetadataError(signal.aborted ? 'timeout' : reasonOf(cause), {
        host: url.hostname,
        detail,
        cause,
      });
    }
  };
}

class Refusal extends Error {
  readonly reason: Reason;
  constructor(reason: Reason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** How a connection is made, and what is looked at once it is there. */
interface Route {
  readonly options: RequestOptions;
  readonly check?: (socket: Socket) => void;
}

type FindRoute = (url: URL, signal: AbortSignal) => Promise<Route>;

/** The connection goes to the very addresses that were looked at: a name that means another one by now is not asked again. */
const routeTo =
  (look: Resolve, isFit: (address: string) => boolean): FindRoute =>
  async (url, signal) => {
    const addresses = await look(url.hostname, signal);
    if (addresses.length === 0) throw new Refusal('dns', 'no address');
    const inner = addresses.find((address) => !isFit(address));
    if (inner !== undefined) throw new Refusal('private_address', inner);
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    const lookup: LookupFunction = (_hostname, { all }, done) => {
      const [first] = found;
      if (all) done(null, found);
      else done(null, first?.address ?? '', first?.family);
    };
    // An agent of its own: no connection that somebody else opened, no proxy of the environment.
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
    return { options: { agent, lookup }, check: (socket) => destroyUnlessFit(socket, isFit) };
  };

/** The name is all that can be looked at here, so a name of the inside never gets as far as CONNECT. */
const routeThrough =
  (proxy: URL): FindRoute =>
  async (url, signal) => {
    const flaw = flawOfHost(url);
    if (flaw) throw new Refusal('url', flaw);
    const tunnel = await openTunnel(proxy, url, signal);
    return { options: { createConnection: () => secure(tunnel, url) } };
  };

function send(url: URL, { etag }: GetOptions, route: Route, signal: AbortSignal): Promise<IncomingMessage> {
  const headers = {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    'User-Agent': 'mcp-oauth-server',
    ...(etag && { 'If-None-Match': etag }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { ...route.options, headers, signal });
    sent.once('response', resolve).on('error', reject);
    sent.once('socket', (socket) => {
      socket.once('connect', () => route.check?.(socket));
    });
    sent.end();
  });
}

/** Before the request is sent: whatever led here, this is the address that counts. */
function destroyUnlessFit(socket: Socket, isFit: (address: string) => boolean): void {
  const address = socket.remoteAddress ?? '';
  if (!isIP(address) || !isFit(address)) socket.destroy(new Refusal('private_address', address));
}

/** The status says it all: an error page of any size or coding, and one that never ends, must not hide it. */
function drop(response: IncomingMessage): string {
  response.destroy();
  return '';
}

async function read(response: IncomingMessage, limit: number): Promise<string> {
  const coding = response.headers['content-encoding'];
  const parts: Buffer[] = [];
  let size = 0;
  try {
    // Nothing was asked for; what unpacks may be larger than any limit.
    if (coding && coding !== 'identity') throw new Refusal('encoding', 'content-encoding although none was accepted');
    for await (const part of response) {
      size += part.length;
      if (size > limit) throw new Refusal('too_large', `more than ${limit} bytes`);
      parts.push(part);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

const plain = ({ headers }: IncomingMessage): Answer['headers'] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));

/** Whatever a promise waits for, it ends with the signal. */
function before<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);
}

const DNS = /^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL|ECANCELLED)/;
const TLS = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|HOSTNAME_)/;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

function reasonOf(cause: unknown): Reason {
  if (cause instanceof Refusal) return cause.reason;
  if (cause instanceof TunnelError) return 'proxy';
  const { code } = (cause ?? {}) as { code?: unknown };
  if (typeof code !== 'string') return 'connection';
  if (DNS.test(code)) return 'dns';
  return TLS.test(code) ? 'tls' : 'connection';
}
