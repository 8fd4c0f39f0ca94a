/**
 * Owns a conversation over HTTP+SSE (MCP 2024-11-05, transports): a stream whose first event names the endpoint for messages, and whose
 * later events are the answers.
 */
import type { Ask } from '../network/ask.ts';
import type { Listen, OpenStream } from '../network/listen.ts';
import { isEventStream, type ProbeRequest, type ProbeResponse } from '../network/request.ts';
import { fault, type Known, type Verdict } from '../step.ts';
import { behindProxy, PROXY, UNBUFFER } from '../steps/proxy.ts';
import { errorOf, headersOf, initializeRequest, notify, objectIn, post, type Sender } from './message.ts';

const HTTP_SSE = '2024-11-05';

export interface Talk {
  /** The answer to the request for the stream. */
  readonly stream: ProbeResponse;
  /** The first event, if it is `endpoint`. */
  readonly endpoint?: string;
  /** The answers to `initialize` and to each request: the message of the stream, or the answer of a POST that was refused. */
  readonly answers: readonly ProbeResponse[];
}

/** Where only the head counts, the request ends after it. */
export const streamRequest = (url: URL, sender: Sender): ProbeRequest => {
  const { 'content-type': _, ...headers } = headersOf(sender);
  return { url, headers: { ...headers, accept: 'text/event-stream' }, until: 'head' };
};

/** The first request of a client. */
export const firstRequest = ({ url, httpSse }: Pick<Known, 'url' | 'httpSse'>, sender: Sender): ProbeRequest =>
  httpSse ? streamRequest(url, sender) : initializeRequest(url, sender.userAgent, sender);

/** MCP 2025-03-26, "Backwards Compatibility": such an answer to a POST is one of a server that may have this transport. */
export const mayHaveHttpSse = ({ status }: ProbeResponse): boolean => [400, 404, 405].includes(status);

/** Ends at the first request that gets no answer. */
export async function talk(
  { ask, listen }: { readonly ask: Ask; readonly listen: Listen },
  { url, client: { userAgent }, token }: Pick<Known, 'url' | 'client' | 'token'>,
  methods: readonly string[],
): Promise<Talk> {
  const sender = { userAgent, token };
  const stream = await listen(streamRequest(url, sender));
  try {
    const first = await stream.next();
    if (first?.event !== 'endpoint') return { stream: stream.head, answers: [] };
    const endpoint = first.data;
    const target = URL.parse(endpoint, url.href);
    // The token must not go to another server.
    if (target?.origin !== url.origin) return { stream: stream.head, endpoint, answers: [] };
    const requests = [
      initializeRequest(target, userAgent, sender, HTTP_SSE),
      ...methods.map((method, n) => post(target, sender, method, {}, n + 2)),
    ];
    const answers: ProbeResponse[] = [];
    for (const [n, request] of requests.entries()) {
      const answer = await answerOn(stream, await ask(request), n + 1);
      answers.push(answer);
      if (answer.status !== 200) break;
      if (n === 0) await ask(notify(target, sender, 'notifications/initialized'));
    }
    return { stream: stream.head, endpoint, answers };
  } finally {
    stream.close();
  }
}

/** A stream may tell much before it answers. */
const MOST_EVENTS = 100;

/** @param id of the request that was posted */
async function answerOn({ next }: OpenStream, posted: ProbeResponse, id: number): Promise<ProbeResponse> {
  if (posted.status < 200 || posted.status > 299) return posted;
  for (let n = 0; n < MOST_EVENTS; n++) {
    const event = await next();
    if (!event) break;
    if (objectIn(event.data)?.id === id)
      return { ...posted, status: 200, headers: { 'content-type': 'application/json' }, body: event.data };
  }
  return { ...posted, status: 0, body: '', failure: 'TIMEOUT' };
}

/** @returns what is wrong with the stream, or with the first request; undefined if `initialize` has an answer */
export function judgeTalk({ stream, endpoint, answers }: Talk, url: URL): Verdict | undefined {
  if (!isEventStream(stream)) {
    const says = `The stream does not open: GET is answered ${errorOf(stream)}.`;
    return fault(stream.failure === 'TIMEOUT' ? 'network' : 'mcp-server', says, UNBUFFER);
  }
  if (endpoint === undefined)
    return fault('network', 'The stream opens, but its first event, endpoint, does not arrive.', UNBUFFER);
  const target = URL.parse(endpoint, url.href);
  if (target?.origin !== url.origin) {
    const says = `The endpoint for messages is ${endpoint}, which is of another origin than ${url.origin}: clients refuse it.`;
    const fix = 'Send the path alone, which clients resolve against the URL of the stream.';
    return fault('mcp-server', says, target && behindProxy(url, target) ? PROXY : fix);
  }
  const [first] = answers;
  if (first?.status === 200) return undefined;
  if (first && first.failure !== 'TIMEOUT') {
    const says = `initialize at the endpoint ${endpoint} is answered ${errorOf(first)}.`;
    const fix =
      'A proxy must pass this path on; behind a prefix the server has to write it into the endpoint. With several replicas the request must reach the one that holds the stream.';
    return fault('mcp-server', says, fix);
  }
  const says = `initialize at the endpoint ${endpoint} is accepted, but its answer does not arrive on the stream.`;
  return fault(
    'network',
    says,
    `${UNBUFFER} With several replicas, messages must reach the one that holds the stream.`,
  );
}
