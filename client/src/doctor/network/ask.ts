/**
 * Owns one HTTP request of the doctor and what is recorded of its answer. Each request has a connection of its own, a time limit and a
 * limit of bytes. Redirects are recorded and never followed. Nothing is decoded.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { openTunnel, secure } from '@mcp-oauth/shared/network/tunnel';
import { isStray } from '../../reach.ts';
import { codeOf, type ProxyFor } from './proxy.ts';

export interface ProbeRequest {
  readonly url: string | URL;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
  /** A stream has no end: the request ends after the head of its answer, or after the first event. */
  readonly until?: 'head' | 'event';
}

export interface ProbeResponse {
  readonly url: string;
  /** 0 if there was no answer. */
  readonly status: number;
  /** By names in lower case; fields that came several times are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The answer had more than the limit, or did not end in time. */
  readonly cut: boolean;
  /** Why there was no answer, or why it ended early: a code of Node.js, or TIMEOUT. */
  readonly failure?: string;
  /** Milliseconds since the epoch. */
  readonly sentAt: number;
  readonly answeredAt: number;
}

export type Ask = (asked: ProbeRequest) => Promise<ProbeResponse>;

export interface AskOptions {
  readonly now: () => number;
  /** Milliseconds for the head of an answer, and again for its body. */
  readonly timeout: number;
  readonly proxyFor: ProxyFor;
}

/** Metadata has some KiB, a list of tools some hundred. */
const MOST_BYTES = 1024 * 1024;

export const createAsk =
  ({ now, timeout, proxyFor }: AskOptions): Ask =>
  async ({ url, method = 'GET', headers = {}, body, until }) => {
    const target = new URL(url);
    const sentAt = now();
    const none = { url: target.href, status: 0, headers: {}, body: '', cut: false, sentAt };
    const length = body !== undefined && { 'content-length': Buffer.byteLength(body) };
    const options: RequestOptions = { method, agent: false, headers: { ...sentHeaders(headers), ...length } };
    try {
      const answer = await answerTo(
        target,
        { ...options, ...(await routeTo(target, proxyFor, timeout)) },
        body,
        timeout,
      );
      const answeredAt = now();
      const head = { ...none, status: answer.statusCode ?? 0, headers: joined(answer), answeredAt };
      const isStream = answer.headers['content-type']?.startsWith('text/event-stream');
      const read = until === 'head' && isStream ? { cut: true } : await bodyOf(answer, timeout, until);
      answer.destroy();
      return { ...head, ...read };
    } catch (error) {
      return { ...none, failure: codeOf(error), answeredAt: now() };
    }
  };

async function routeTo(url: URL, proxyFor: ProxyFor, timeout: number): Promise<RequestOptions> {
  const proxy = proxyFor(url);
  if (!proxy) return {};
  const tunnel = await openTunnel(proxy, url, AbortSignal.timeout(timeout));
  return { createConnection: () => secure(tunnel, url) };
}

/** @throws an error with the code TIMEOUT if the head of the answer does not arrive in time */
function answerTo(
  url: URL,
  options: RequestOptions,
  body: string | undefined,
  timeout: number,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // A header that is not allowed throws at once.
    const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options);
    const late = () => sent.destroy(Object.assign(new Error('no answer in time'), { code: 'TIMEOUT' }));
    const timer = setTimeout(late, timeout);
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.once('response', (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    sent.end(body);
  });
}

/** Replaces what must not be shown in whatever a server answers, before anything is cut from it. */
export const withoutSecrets =
  (ask: Ask, secrets: () => readonly string[]): Ask =>
  async (asked) => {
    const response = await ask(asked);
    const hide = (text: string) => secrets().reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
    const headers = Object.entries(response.headers).map(([name, value]) => [name, hide(value)] as const);
    return { ...response, body: hide(response.body), headers: Object.fromEntries(headers) };
  };

/** Sends nothing into this network for a server of the internet, whatever its documents name. */
export const withinReachOf =
  (server: URL, ask: Ask): Ask =>
  async (asked) => {
    const url = new URL(asked.url);
    if (!isStray(server, url)) return ask(asked);
    const failure = 'not asked: it is inside this network, and the server is not';
    return { url: url.href, status: 0, headers: {}, body: '', cut: false, failure, sentAt: 0, answeredAt: 0 };
  };

/** Reads the body up to a limit of bytes and of time. A stream ends after its first event. */
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

const sentHeaders = (headers: NonNullable<ProbeRequest['headers']>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

const joined = ({ headers }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
