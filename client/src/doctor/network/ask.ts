/** Owns one HTTP request of the doctor and what is recorded of its answer, up to a limit of bytes and of time. */
import type { IncomingMessage } from 'node:http';
import { isStray } from '../../reach.ts';
import type { Listen } from './listen.ts';
import { codeOf } from './proxy.ts';
import { type AskOptions, begin, isEventStream, MOST_BYTES, type ProbeRequest, type ProbeResponse } from './request.ts';

export type Ask = (asked: ProbeRequest) => Promise<ProbeResponse>;

export const createAsk =
  (options: AskOptions): Ask =>
  async (asked) => {
    const { head, answer } = await begin(asked, options);
    if (!answer) return head;
    const isHeadEnough = asked.until === 'head' && isEventStream(head);
    const read = isHeadEnough ? { cut: true } : await bodyOf(answer, options.timeout, asked.until);
    answer.destroy();
    return { ...head, ...read };
  };

/** Replaces what must not be shown in whatever a server answers, before anything is cut from it. */
export function withoutSecrets(network: { readonly ask: Ask; readonly listen: Listen }, secrets: readonly string[]) {
  const hide = (text: string) => secrets.reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
  const clean = (response: ProbeResponse): ProbeResponse => {
    const headers = Object.entries(response.headers).map(([name, value]) => [name, hide(value)] as const);
    return { ...response, body: hide(response.body), headers: Object.fromEntries(headers) };
  };
  const ask: Ask = async (asked) => clean(await network.ask(asked));
  const listen: Listen = async (asked) => {
    const { head, next, close } = await network.listen(asked);
    const hidden = async () => {
      const event = await next();
      return event && { ...event, data: hide(event.data) };
    };
    return { head: clean(head), next: hidden, close };
  };
  return { ask, listen };
}

/** Sends nothing into this network for a server of the internet, whatever its documents name. */
export const withinReachOf =
  (server: URL, ask: Ask): Ask =>
  async (asked) => {
    const url = new URL(asked.url);
    if (!isStray(server, url)) return ask(asked);
    const failure = 'not asked: it is inside this network, and the server is not';
    return { url: url.href, status: 0, headers: {}, body: '', cut: false, failure, sentAt: 0, answeredAt: 0 };
  };

/** A stream ends after its first event. */
function bodyOf(answer: IncomingMessage, timeout: number, until: ProbeRequest['until']) {
  return new Promise<Pick<ProbeResponse, 'body' | 'cut' | 'failure'>>((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const end = (cut: boolean, failure?: string) => {
      clearTimeout(timer);
      const body = Buffer.concat(chunks).subarray(0, MOST_BYTES).toString('utf8');
      resolve({ body, cut, ...(failure !== undefined && { failure }) });
    };
    const timer = setTimeout(() => end(true, 'TIMEOUT'), timeout);
    answer.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MOST_BYTES) end(true);
      else if (until === 'event' && hasEvent(chunk)) end(false);
    });
    answer.once('end', () => end(false));
    answer.once('error', (error) => end(true, codeOf(error)));
    answer.once('close', () => end(true, 'ECONNRESET'));
  });
}

/** A comment, which only keeps a stream open, is no event; but it shows as well that nothing holds the stream back. */
const hasEvent = (chunk: Buffer): boolean => /\n\r?\n|\r\r/.test(chunk.toString('latin1'));
