/**
 * Owns requests to URLs that the operator configures: the issuer and its keys, upstreams, resources. Answers are never decompressed
 * (RFC 9110 §12.5.3), https uses the operator's proxy if there is one, and redirects are not followed.
 */
import { type AgentOptions, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { Readable } from 'node:stream';
import type { SkipsProxy } from './no-proxy.ts';
import { openTunnel, secure } from './tunnel.ts';

export type Fetch = typeof globalThis.fetch;

export interface Outward {
  /** For https; plain http is for hosts inside the network. */
  readonly httpsProxy?: URL | undefined;
  readonly noProxy?: SkipsProxy | undefined;
}

/** How connections are used again: only for the host and port for which they were opened. */
export interface KeptConnections {
  /** Milliseconds after which an unused one is closed. */
  readonly idle: number;
  /** How many unused ones there are for each host at most. */
  readonly unused: number;
  /** How many there are for each host at most; further requests wait, within their time limit. */
  readonly all: number;
}

/** RFC 9110 §9.2.2: a request with one of these may be sent again when a connection turns out to be closed. */
const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const agentsWith = (options: AgentOptions) => ({ 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) });

/**
 * Replaces the global `fetch`, which decodes any content coding of an answer, accepted or not, and gets its proxy from the command
 * line.
 * @param kept absent: a connection is used once, because requests are rare, and a stale connection would fail a sign-in
 */
export function createOutgoingFetch(
  { httpsProxy, noProxy = () => false }: Outward = {},
  kept?: KeptConnections,
): Fetch {
  const fresh = agentsWith({ keepAlive: false });
  const reused =
    kept && agentsWith({ keepAlive: true, timeout: kept.idle, maxFreeSockets: kept.unused, maxSockets: kept.all });
  const routeTo = async (url: URL, { method, signal }: Request, mayReuse: boolean): Promise<RequestOptions> => {
    const agents = mayReuse && reused && REPEATABLE.has(method) ? reused : fresh;
    if (url.protocol === 'http:') return { agent: agents['http:'] };
    if (!httpsProxy || noProxy(url)) return { agent: agents['https:'] };
    const tunnel = await openTunnel(httpsProxy, url, signal);
    return { createConnection: () => secure(tunnel, url) };
  };
  return plainly(async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError(`${url.protocol} can't be fetched`);
    try {
      const body = Buffer.from(await request.arrayBuffer());
      const sendBy = async (mayReuse: boolean) => send(request, url, body, await routeTo(url, request, mayReuse));
      const answer = await sendBy(true).catch((error: unknown) => {
        if (!(error instanceof ClosedMeanwhile)) throw error;
        return sendBy(false);
      });
      return toResponse(answer, request);
    } catch (cause) {
      throw request.signal.aborted ? request.signal.reason : new TypeError('fetch failed', { cause });
    }
  });
}

/** The answer has a content coding although none was accepted. */
export class ContentCodingError extends TypeError {
  override readonly name = 'ContentCodingError';
}

/**
 * A fetch that accepts no content coding, and refuses an answer that has one anyway (RFC 9110 §15.5.16, §8.4). For an error page only
 * the status matters, so its body is dropped.
 */
export const plainly =
  (fetch: Fetch): Fetch =>
  async (input, init) => {
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set('accept-encoding', 'identity');
    const response = await fetch(input, { ...init, headers });
    const coding = response.headers.get('content-encoding');
    if (!coding || coding.toLowerCase() === 'identity') return response;
    await response.body?.cancel();
    if (!response.ok) return new Response(null, response);
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
    throw new ContentCodingError(
      `${origin}${pathname} answered with the content coding ${coding} although none is accepted`,
    );
  };

/** RFC 9110 §10.1.5; some hosts refuse requests without it. */
const USER_AGENT = 'mcp-oauth-server';

/** The other side has closed a connection that was kept, before it answered. */
class ClosedMeanwhile extends Error {
  override readonly name = 'ClosedMeanwhile';
}

const CLOSED: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE']);

function send(request: Request, url: URL, body: Buffer, route: RequestOptions): Promise<IncomingMessage> {
  const headers = { accept: '*/*', 'user-agent': USER_AGENT, ...Object.fromEntries(request.headers) };
  const length = body.length > 0 && { 'content-length': String(body.length) };
  return new Promise<IncomingMessage>((resolve, reject) => {
    const { method, signal } = request;
    signal.throwIfAborted();
    // A request that waits for one of the kept connections reports its end only when it gets one.
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    const begin = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const sent = begin(url, { ...route, method, headers: { ...headers, ...length }, signal });
    sent.once('response', resolve).on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sent.reusedSocket && CLOSED.has(error.code);
      reject(isStale ? new ClosedMeanwhile(error.message, { cause: error }) : error);
    });
    sent.end(body);
  });
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Fetch §2.2.3: these have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function toResponse(answer: IncomingMessage, { redirect, url }: Request): Response {
  const { statusCode: status = 0, statusMessage: statusText = '', rawHeaders } = answer;
  if (REDIRECTS.has(status) && redirect !== 'manual') {
    answer.destroy();
    throw new Error(`${url} answered ${status}, a redirect, which is not followed`);
  }
  const headers = new Headers();
  for (let n = 0; n < rawHeaders.length; n += 2) headers.append(rawHeaders[n] ?? '', rawHeaders[n + 1] ?? '');
  if (WITHOUT_BODY.has(status)) {
    answer.resume();
    return new Response(null, { status, statusText, headers });
  }
  return new Response(Readable.toWeb(answer) as unknown as globalThis.ReadableStream, {
    status,
    statusText,
    headers,
  });
}
