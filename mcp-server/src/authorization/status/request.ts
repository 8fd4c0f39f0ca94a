/** Owns the request for a status list: conditional (RFC 9110 §13.1.2), without redirects and content coding, within limits of time and size. */
import { NoAnswer, readText, reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { type Fetch, plainly } from '@mcp-oauth/shared/network/outgoing-fetch';
import { STATUS_LIST_TYPE } from '@mcp-oauth/shared/status-list/status-list';

export interface ReceivedList {
  readonly jwt: string;
  readonly etag: string | undefined;
}

/** Milliseconds. */
const TIMEOUT = 5_000;
const MOST_BYTES = 2 * 1024 * 1024;

/**
 * @param etag of the copy held; absent: there is none
 * @throws Error that says why there is no list
 */
export async function requestList(fetch: Fetch, url: string, etag: string | undefined): Promise<ReceivedList | 'same'> {
  const signal = AbortSignal.timeout(TIMEOUT);
  const headers = { accept: `application/${STATUS_LIST_TYPE}`, ...(etag !== undefined && { 'if-none-match': etag }) };
  try {
    const response = await plainly(fetch)(url, { headers, redirect: 'error', signal });
    if (response.status === 304 && etag !== undefined) return 'same';
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`${url} answered ${response.status}`);
    }
    const jwt = await readText(response, url, MOST_BYTES);
    return { jwt: jwt.trim(), etag: response.headers.get('etag') ?? undefined };
  } catch (error) {
    if (signal.aborted) throw new NoAnswer(`${url} did not answer within ${TIMEOUT / 1000} s`);
    throw reasonOf(error).includes(url) ? error : new Error(url, { cause: error });
  }
}
