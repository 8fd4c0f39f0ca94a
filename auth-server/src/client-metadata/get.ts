/**
 * Owns one GET request to a place that a stranger names (CWE-918; draft-ietf-oauth-client-id-metadata-document §5, §8.6,
 * §8.7): to public addresses only, once, without redirects or a proxy, bounded in time and size.
 */
import { promises as dns } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { isIP, isIPv6, type LookupFunction, type Socket } from 'node:net';
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
  /** Asks DNS for public hosts. */
  readonly resolve?: Resolve;
  readonly isPublic?: (address: string) => boolean;
  /** Milliseconds for everything, name and body included. */
  readonly timeout?: number;
}

const TIMEOUT = 3_000;

/**
 * DNS and nothing else: no hosts file, no search domains that turn a public name into an inner one. And not on the threads
 * that sign tokens, which slow name servers of a stranger could keep busy, as `getaddrinfo` does.
 */
const askDns: Resolve = async (hostname, signal) => {
  const resolver = new dns.Resolver({ timeout: 1_000, tries: 2 });
  signal.addEventListener('abort', () => resolver.cancel(), { once: true });
  const answers = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
};

/** What the machine knows: the hosts file, too. */
const askSystem: Resolve = async (hostname) => {
  const name = hostname.replace(/^\[|\]$/g, '');
  return (await dns.lookup(name, { all: true })).map(({ address }) => address);
};

export function createGet({ resolve = askDns, isPublic = isPublicAddress, timeout = TIMEOUT }: Network = {}): Get {
  return async (url, options) => {
    const isFit = options.mayBePrivate ? () => true : isPublic;
    const signal = AbortSignal.timeout(timeout);
    const fail = (reason: Reason, detail?: string, cause?: unknown): never => {
      throw new ClientMetadataError(reason, { host: url.hostname, ...(detail && { detail }), cause });
    };
    try {
      const addresses = await before(signal, (options.mayBePrivate ? askSystem : resolve)(url.hostname, signal));
      if (addresses.length === 0) return fail('dns', 'no address');
      const inner = addresses.find((address) => !isFit(address));
      if (inner !== undefined) return fail('private_address', inner);
      const response = await send(url, options, { addresses, isFit, signal });
      return { status: response.statusCode ?? 0, headers: plain(response), body: await read(response, options.limit) };
    } catch (cause) {
      if (cause instanceof ClientMetadataError) throw cause;
      if (signal.aborted) return fail('timeout', `no answer within ${timeout} ms`, cause);
      if (cause instanceof Refusal) return fail(cause.reason, cause.message, cause);
      return fail(reasonOf(cause), cause instanceof Error ? cause.message : String(cause), cause);
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

interface Route {
  readonly addresses: readonly string[];
  readonly isFit: (address: string) => boolean;
  readonly signal: AbortSignal;
}

/** The connection goes to the very addresses that were looked at: a name that means another one by now is not asked again. */
function send(url: URL, { etag }: GetOptions, { addresses, isFit, signal }: Route): Promise<IncomingMessage> {
  const found = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
  const lookup: LookupFunction = (_hostname, { all }, done) => {
    const [first] = found;
    if (all) done(null, found);
    else done(null, first?.address ?? '', first?.family);
  };
  const headers = {
    Accept: 'application/json',
    'Accept-Encoding': 'identity',
    'User-Agent': 'mcp-oauth-server',
    ...(etag && { 'If-None-Match': etag }),
  };
  return new Promise((resolve, reject) => {
    // An agent of its own: no connection that somebody else opened, no proxy of the environment.
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 0 });
    const sent = request(url, { agent, lookup, headers, signal });
    sent.once('response', resolve).on('error', reject);
    sent.once('socket', (socket) => {
      socket.once('connect', () => destroyUnlessFit(socket, isFit));
    });
    sent.end();
  });
}

/** Before the request is sent: whatever led here, this is the address that counts. */
function destroyUnlessFit(socket: Socket, isFit: (address: string) => boolean): void {
  const address = socket.remoteAddress ?? '';
  if (!isIP(address) || !isFit(address)) socket.destroy(new Refusal('private_address', address));
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

/** A promise that can't be cancelled, until the signal. */
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

function reasonOf(cause: unknown): Reason {
  const { code } = (cause ?? {}) as { code?: unknown };
  if (typeof code !== 'string') return 'connection';
  if (DNS.test(code)) return 'dns';
  return TLS.test(code) ? 'tls' : 'connection';
}
