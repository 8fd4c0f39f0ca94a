/**
 * Owns how connectors send requests to an upstream: bounded in time and size, without following redirects (OpenID Connect
 * Discovery 1.0 §4.2 requires 200), and with one error for every failure (`UpstreamError`).
 */
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { ContentCodingError, type Fetch, plainly } from '@mcp-oauth/shared/network/outgoing-fetch';
import { TunnelError } from '@mcp-oauth/shared/network/tunnel';
import { UpstreamError } from '../connector.ts';
import { innermost } from '../failure.ts';

const LARGEST_ANSWER = 1_048_576;

/**
 * A fetch that reads the whole answer before it returns, so that an upstream that stalls in the middle of a body takes no longer
 * than one that never answers. A signal of the caller ends it too.
 * @param timeout seconds for one request, body included
 * @throws UpstreamError `unavailable` when there is no answer in time, a server error (RFC 9110 §15.6), a redirect, or 429
 */
export function createUpstreamFetch(fetch: Fetch, timeout: number): Fetch {
  const ask = plainly(fetch);
  return async (input, init) => {
    const place = new URL(input instanceof Request ? input.url : input);
    const where = `${place.origin}${place.pathname}`;
    const late = AbortSignal.timeout(timeout * 1000);
    const signal = init?.signal ? AbortSignal.any([init.signal, late]) : late;
    try {
      const response = await ask(input, { ...init, redirect: 'manual', signal });
      const body = await readBounded(response, where);
      refuseStatus(response, where);
      return new Response(isEmpty(response.status) ? null : body, response);
    } catch (cause) {
      if (cause instanceof UpstreamError) throw cause;
      if (cause instanceof ContentCodingError) throw new UpstreamError('unavailable', cause.message, { cause });
      const why = late.aborted
        ? `gave no answer within ${timeout} s`
        : init?.signal?.aborted
          ? 'gave no answer before the question was ended'
          : `could not be reached (${codeOf(cause)})`;
      throw new UpstreamError('unavailable', `${where} ${why}`, { cause });
    }
  };
}

/** The same fetch, whose requests end with this signal. */
export const endingWith = (fetch: Fetch, end: AbortSignal | undefined): Fetch =>
  end ? (input, init) => fetch(input, { ...init, signal: end }) : fetch;

function refuseStatus({ status, headers }: Response, where: string): void {
  if (status >= 500 || status === 429)
    throw new UpstreamError('unavailable', `${where} answered ${status}`, { status });
  const location = headers.get('location');
  if (status < 300 || status >= 400 || location === null) return;
  // Only the host: the rest may carry a secret.
  const target = URL.parse(location, where)?.host ?? 'nowhere';
  const message = `${where} answered ${status}, a redirect to ${target}, which is not followed`;
  throw new UpstreamError('unavailable', message, { status });
}

/** The error code of the network, such as ECONNREFUSED or CERT_HAS_EXPIRED; fetch hides it in the causes. */
function codeOf(error: unknown): string {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    // An error of the proxy is not an error of the upstream.
    if (cause instanceof TunnelError) return reasonOf(cause);
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  return innermost(error).message;
}

const isEmpty = (status: number): boolean => status === 204 || status === 205 || status === 304;

async function readBounded(response: Response, where: string): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > LARGEST_ANSWER)
      throw new UpstreamError('unavailable', `${where} answered more than ${LARGEST_ANSWER} bytes`);
    parts.push(part);
  }
  return new Blob(parts);
}
