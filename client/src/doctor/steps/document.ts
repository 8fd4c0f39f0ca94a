/**
 * Owns how the doctor reads a public document: at each place where clients look, in their order. A redirect is followed as `fetch`
 * does, a few times, and is said.
 */

import { asDocument, objectIn } from '../mcp/message.ts';
import type { ProbeResponse } from '../network/request.ts';
import type { Document, Known, StepDependencies } from '../step.ts';
import { isHtml } from './reach.ts';

export interface Place {
  readonly url: string;
  readonly response: ProbeResponse;
  /** Redirects that led to the answer. */
  readonly hops: readonly string[];
}

const MOST_HOPS = 3;

export const readPlaces = async (
  { ask }: Pick<StepDependencies, 'ask'>,
  { client, origin }: Pick<Known, 'client' | 'origin'>,
  urls: readonly string[],
): Promise<readonly Place[]> => {
  const places: Place[] = [];
  for (const url of new Set(urls)) {
    const headers = { accept: 'application/json', 'user-agent': client.userAgent, ...(client.page && { origin }) };
    const hops: string[] = [];
    let response = await ask({ url, headers });
    while (response.status >= 300 && response.status < 400 && hops.length < MOST_HOPS) {
      const next = URL.parse(response.headers.location ?? '', response.url);
      if (!next || !/^https?:$/.test(next.protocol)) break;
      hops.push(next.href);
      response = await ask({ url: next, headers });
    }
    places.push({ url, response, hops });
  }
  return places;
};

/** The document of a place; `undefined` if the answer is none. */
export const documentOf = ({ response }: Place): Document | undefined =>
  response.status === 200 ? asDocument(objectIn(response.body)) : undefined;

/** What a place answered, for a place without a document. */
function answerOf({ url, response, hops }: Place): string {
  const { status, failure } = response;
  const what = status === 0 ? failure : `${status}${kindOf(response)}`;
  return `${url} (${what}${hops.length > 0 ? ` after a redirect to ${hops.at(-1)}` : ''})`;
}

function kindOf({ status, headers, cut, failure }: ProbeResponse): string {
  if (isHtml(headers)) return ', a web page';
  if (status !== 200) return '';
  const coding = headers['content-encoding'];
  if (coding !== undefined && coding !== 'identity')
    return `, compressed (${coding}), although nobody has asked for it`;
  if (cut) return failure === undefined ? ', more than 1 MiB' : `, which does not end (${failure})`;
  return ', not a JSON object';
}

export const listOf = (places: readonly Place[]): string => places.map(answerOf).join(', ');

/** The strings of a member that is a list. */
export const stringsIn = (document: Document, name: string): readonly string[] => {
  const value = document[name];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
};

/** A member of a foreign document as the URL of a web server; other schemes lead nowhere. */
export function webUrl(value: unknown): URL | undefined {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}
