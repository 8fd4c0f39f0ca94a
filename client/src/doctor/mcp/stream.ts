/** Owns the step that opens streams: a proxy that buffers them holds back even their head, or their first event. */
import type { ProbeResponse } from '../network/request.ts';
import { fault, note, passed, step, type Verdict } from '../step.ts';
import { UNBUFFER } from '../steps/proxy.ts';
import { streamRequest } from './http-sse.ts';
import { unopened } from './initialize.ts';
import { headersOf, statelessPost } from './message.ts';

interface Seen {
  /** The stream of a session (GET). */
  readonly standing?: ProbeResponse;
  /** `subscriptions/listen`, whose first event must come at once (MCP 2026-07-28). */
  readonly listening?: ProbeResponse;
}

export const stream = step(
  'stream',
  unopened,
  async ({ ask }, { url, client: { userAgent }, token, session, revision, modern = [], httpSse }): Promise<Seen> => {
    if (httpSse) return { standing: await ask(streamRequest(url, { userAgent, token })) };
    const { 'content-type': _, ...headers } = headersOf({ userAgent, token, session, revision });
    const standing = revision && { url, until: 'head' as const, headers: { ...headers, accept: 'text/event-stream' } };
    const params = { notifications: { toolsListChanged: true } };
    const listening = statelessPost(url, { userAgent, token }, 'subscriptions/listen', params);
    return {
      ...(standing && { standing: await ask(standing) }),
      ...(modern.length > 0 && { listening: await ask({ ...listening, until: 'event' }) }),
    };
  },
  judgeStream,
);

export function judgeStream({ standing, listening }: Seen): Verdict {
  const late = (response: ProbeResponse | undefined) => response?.status === 0 && response.failure === 'TIMEOUT';
  if (late(standing) || late(listening))
    return fault(
      'network',
      'A stream does not open: not even the head of the answer arrives, although other requests are answered.',
      UNBUFFER,
    );
  if (isStream(listening) && listening?.body.trim() === '')
    return fault(
      'network',
      'The first event of subscriptions/listen, which the server sends at once, does not arrive.',
      UNBUFFER,
    );
  const opened = [standing, listening].filter(isStream);
  if (opened.some((response) => /gzip|deflate|br|zstd/.test(response?.headers['content-encoding'] ?? '')))
    return note('The stream is compressed although the client does not accept it: events may arrive late.');
  if (opened.length > 0) return passed('opens at once');
  const status = standing?.status ?? listening?.status;
  if (status === 405 || status === 404) return passed(`the server offers none (${status})`);
  return note(`GET with Accept: text/event-stream is answered ${status}; clients expect a stream or 405.`);
}

const isStream = (response: ProbeResponse | undefined): boolean =>
  response?.status === 200 && (response.headers['content-type'] ?? '').startsWith('text/event-stream');
