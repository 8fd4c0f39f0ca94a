/**
 * Owns one GET request to a URL that an unknown client names (CWE-918; draft-ietf-oauth-client-id-metadata-document §5, §8.6,
 * §8.7): to public addresses only, or through a proxy that ensures that, without retries and redirects, bounded in time and size.
 */
import { promises as dns } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { isIP, isIPv6, type LookupFunction, type Socket } from 'node:net';
import { isPublicAddress } from '@mcp-oauth/shared/network/address-ranges';
import { openTunnel, secure, TunnelError } from '@mcp-oauth/shared/network/tunnel';
import { ClientDocumentError, type Reason } from '../document-error.ts';
import { flawOfHost } from './document-url.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
}

interface GetOptions {
  /** Largest body in bytes. */
  readonly limit: number;
  /** Validator of an existing copy (RFC 9110 §13.1.2). */
  readonly etag?: string | undefined;
  /** The host may be inside the network. */
  readonly mayBePrivate: boolean;
}

/** @throws ClientDocumentError */
export type Get = (url: URL, options: GetOptions) => Promise<Answer>;

/** The addresses of a host; rejects if there are none. */
type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface Network {
  /** Name servers for public hosts, as `address:port`; absent: those of the machine. */
  readonly nameServers?: readonly string[];
  /** Replaces the lookup at the name servers. */
  readonly resolve?: Resolve;
  readonly isPublic?: (address: string) => boolean;
  /** Proxy for every request to a public host; the proxy resolves the names. */
  readonly proxy?: URL | undefined;
  /** Milliseconds for the whole request, including name lookup and body. */
  readonly timeout?: number;
}

const TIMEOUT = 3_000;

/**
 * DNS only: no hosts file, and no search domains that turn a public name into an internal one. `getaddrinfo` is not used, because
 * it runs on the threads that sign tokens, and slow name servers of an attacker could occupy them.
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

/** The resolver of the machine, including the hosts file. */
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
      throw new ClientDocumentError(signal.aborted ? 'timeout' : reasonOf(cause), {
        host: url.hostname,
        detail,
        cause,
      });
    }
  };
}

class RequestFailure extends Error {
  readonly reason: Reason;
  constructor(reason: Reason, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** How a connection is made, and how it is checked once it is open. */
interface Route {
  readonly options: RequestOptions;
  readonly check?: (socket: Socket) => void;
}

type FindRoute = (url: URL, signal: AbortSignal) => Promise<Route>;

/** Connects to exactly the addresses that were checked: the name is not resolved again, because its address may have changed. */
const routeTo =
  (look: Resolve, isFit: (address: string) => boolean): FindRoute =>
  async (url, signal) => {
    const addresses = await look(url.hostname, signal);
    if (addresses.length === 0) throw new RequestFailure('dns', 'no address');
    const inner = addresses.find((address) => !isFit(address));
    if (inner !== undefined) throw new RequestFailure('private_address', inner);
    const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
    const lookup: LookupFunction = (_hostname, { all }, done) => {
      const [first] = found;
      if (all) done(null, found);
      else done(null, first?.address ?? '', first?.family);
    };
    // A separate agent: no reused connection, no proxy of the environment.
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
    return { options: { agent, lookup }, check: (socket) => destroyUnlessFit(socket, isFit) };
  };

/** Only the name can be checked here, so an internal name is refused before CONNECT. */
const routeThrough =
  (proxy: URL): FindRoute =>
  async (url, signal) => {
    const flaw = flawOfHost(url);
    if (flaw) throw new RequestFailure('url', flaw);
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

/** Checks the address of the open connection, before the request is sent. */
function destroyUnlessFit(socket: Socket, isFit: (address: string) => boolean): void {
  const address = socket.remoteAddress ?? '';
  if (!isIP(address) || !isFit(address)) socket.destroy(new RequestFailure('private_address', address));
}

/** Discards the body: the status is enough, and an error page may be large, encoded or endless. */
function drop(response: IncomingMessage): string {
  response.destroy();
  return '';
}

async function read(response: IncomingMessage, limit: number): Promise<string> {
  const coding = response.headers['content-encoding'];
  const parts: Buffer[] = [];
  let size = 0;
  try {
    // No coding was accepted, and unpacked content may exceed any limit.
    if (coding && coding !== 'identity')
      throw new RequestFailure('encoding', 'content-encoding although none was accepted');
    for await (const part of response) {
      size += part.length;
      if (size > limit) throw new RequestFailure('too_large', `more than ${limit} bytes`);
      parts.push(part);
    }
  } finally {
    response.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

const plain = ({ headers }: IncomingMessage): Answer['headers'] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));

/** Rejects when the signal aborts, whatever the promise waits for. */
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
  if (cause instanceof RequestFailure) return cause.reason;
  if (cause instanceof TunnelError) return 'proxy';
  const { code } = (cause ?? {}) as { code?: unknown };
  if (typeof code !== 'string') return 'connection';
  if (DNS.test(code)) return 'dns';
  return TLS.test(code) ? 'tls' : 'connection';
}
