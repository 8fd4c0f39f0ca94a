/**
 * Owns one request of a tool to its upstream with the token of the person: only to the hosts of that upstream, redirects included,
 * and with no Authorization of anybody else.
 */
import { type Fetch, plainly } from '@mcp-oauth/shared/network/outgoing-fetch';
import { redirectedTo, urlAt } from './hosts.ts';
import type { Prove } from './proofs.ts';
import type { ConfiguredUpstream } from './settings.ts';
import type { UpstreamToken } from './upstream-token.ts';

interface UpstreamRequest {
  readonly upstream: ConfiguredUpstream;
  readonly url: string | URL;
  readonly init: RequestInit | undefined;
  /** Ends with the call of the tool. */
  readonly signal: AbortSignal;
  /** Milliseconds until the last byte of the answer, without the waits for tokens. */
  readonly timeout: number;
  /** @param rejected a token that the upstream has refused */
  readonly token: (rejected?: string) => Promise<UpstreamToken>;
}

/** A request that is under way, also if it takes several messages: redirects, a nonce, another token. */
interface Sending extends UpstreamRequest {
  /** Milliseconds. */
  left: number;
}

/** The upstream was not reached. */
export class UpstreamUnreachable extends Error {
  override readonly name = 'UpstreamUnreachable';
}

/** @throws UrlRefused before anything is asked for, UpstreamUnreachable, and what `token` throws */
export type SendRequest = (request: UpstreamRequest) => Promise<Response>;

const MOST_REDIRECTS = 5;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Headers that this server decides: who calls, at which host, and how the message is framed (RFC 9110 §7.6.1). */
const OWN_HEADERS = [
  'authorization', 'dpop', 'proxy-authorization', 'host', 'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'content-length', 'expect',
]; // biome-ignore format: one list

/** @param now milliseconds that never go back */
export function createRequests(fetch: Fetch, prove: Prove, now: () => number): SendRequest {
  return async (asked) => {
    const { upstream, init = {}, token, timeout } = asked;
    const request: Sending = { ...asked, left: timeout };
    const url = urlAt(upstream, asked.url);
    const found = await token();
    const first = await follow(url, found, request);
    if (!isAboutToken(first)) return first;
    // RFC 6750 §3.1: the token was revoked or has expired. It is replaced once.
    const renewed = await token(found.token).catch(async (error: unknown) => {
      await drop(first);
      throw error;
    });
    // The same token again: the provider accepts it, so the API refuses the request for another reason.
    if (renewed.token === found.token || isUsedUp(init.body)) return first;
    await drop(first);
    return follow(url, renewed, request);
  };

  async function follow(start: URL, token: UpstreamToken, request: Sending): Promise<Response> {
    const { upstream, init = {} } = request;
    let url = start;
    for (let redirects = 0; ; redirects += 1) {
      const response = await proven(url, token, request);
      if (!REDIRECTS.has(response.status) || init.redirect === 'manual') return response;
      const next = redirectedTo(upstream, url, response.headers.get('location'));
      // What the token must not follow, the tool gets to see: the answer has the other URL.
      if (!next || redirects >= MOST_REDIRECTS || !isRead(init.method) || init.redirect === 'error') return response;
      await response.body?.cancel();
      url = next;
    }
  }

  /** RFC 9449 §9: a server that wants a nonce in the proof sends it with its refusal. */
  async function proven(url: URL, token: UpstreamToken, request: Sending): Promise<Response> {
    const response = await send(url, token, request, undefined);
    const nonce = response.headers.get('dpop-nonce');
    const isAsked = /error="use_dpop_nonce"/.test(response.headers.get('www-authenticate') ?? '');
    if (token.type !== 'DPoP' || response.status !== 401 || !nonce || !isAsked || isUsedUp(request.init?.body)) {
      return response;
    }
    await response.body?.cancel();
    return send(url, token, request, nonce);
  }

  async function send(
    url: URL,
    { token, type }: UpstreamToken,
    request: Sending,
    nonce: string | undefined,
  ): Promise<Response> {
    const { upstream, init = {}, signal, timeout, left } = request;
    const { method = 'GET', body } = init;
    const headers = new Headers(init.headers);
    for (const name of OWN_HEADERS) headers.delete(name);
    headers.set('authorization', `${type} ${token}`);
    if (type === 'DPoP') headers.set('dpop', await prove({ method: method.toUpperCase(), url, token, nonce }));
    const began = now();
    const late = AbortSignal.timeout(Math.max(0, Math.ceil(left)));
    const signals = [signal, late, ...(init.signal ? [init.signal] : [])];
    try {
      return await plainly(fetch)(url.href, {
        method,
        headers,
        ...(body != null && { body, ...(isUsedUp(body) && { duplex: 'half' }) }),
        redirect: 'manual',
        signal: AbortSignal.any(signals),
      } as RequestInit);
    } catch (cause) {
      for (const one of [signal, init.signal]) one?.throwIfAborted();
      const what = late.aborted ? `gave no answer in ${timeout / 1_000} s` : 'was not reached';
      throw new UpstreamUnreachable(`${upstream.id} (${url.host}) ${what}`, { cause });
    } finally {
      request.left -= now() - began;
    }
  }
}

/**
 * Whether an answer may mean that the token is of no use any more. RFC 6750 §3.1: `invalid_token`; any other error code is about the
 * request. Many APIs name none.
 */
function isAboutToken({ status, headers }: Response): boolean {
  const [, code = 'invalid_token'] = /\berror\s*=\s*"?([\w-]+)/i.exec(headers.get('www-authenticate') ?? '') ?? [];
  return status === 401 && code === 'invalid_token';
}

/** The answer may have ended by itself meanwhile. */
const drop = async ({ body }: Response): Promise<void> => body?.cancel().catch(() => {});

const isRead = (method = 'GET'): boolean => /^(get|head)$/i.test(method);

/** Whether a body can be sent once only. */
const isUsedUp = (body: RequestInit['body']): boolean =>
  typeof body === 'object' && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body);
