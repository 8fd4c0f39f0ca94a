/**
 * Owns the sending of a request of the doctor, up to the head of its answer: a connection of its own, through the proxy of the operator
 * if there is one, and a time limit. Redirects are not followed, and nothing is decoded.
 */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { openTunnel, secure } from '@mcp-oauth/shared/network/tunnel';
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

export interface AskOptions {
  readonly now: () => number;
  /** Milliseconds for the head of an answer, and again for its body. */
  readonly timeout: number;
  readonly proxyFor: ProxyFor;
}

/** Metadata has some KiB, a list of tools some hundred. */
export const MOST_BYTES = 1024 * 1024;

interface Begun {
  /** Without a body. */
  readonly head: ProbeResponse;
  /** The body, which has to be read or destroyed; absent if there was no answer. */
  readonly answer?: IncomingMessage;
}

export async function begin(
  { url, method = 'GET', headers = {}, body }: ProbeRequest,
  { now, timeout, proxyFor }: AskOptions,
): Promise<Begun> {
  const target = new URL(url);
  const sentAt = now();
  const none = { url: target.href, status: 0, headers: {}, body: '', cut: false, sentAt };
  const length = body !== undefined && { 'content-length': Buffer.byteLength(body) };
  const options: RequestOptions = { method, agent: false, headers: { ...sentHeaders(headers), ...length } };
  try {
    const route = await routeTo(target, proxyFor, timeout);
    const answer = await answerTo(target, { ...options, ...route }, body, timeout);
    const head = { ...none, status: answer.statusCode ?? 0, headers: joined(answer), answeredAt: now() };
    return { head, answer };
  } catch (error) {
    return { head: { ...none, failure: codeOf(error), answeredAt: now() } };
  }
}

export const isEventStream = ({ status, headers }: Pick<ProbeResponse, 'status' | 'headers'>): boolean =>
  status === 200 && headers['content-type']?.startsWith('text/event-stream') === true;

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

const sentHeaders = (headers: NonNullable<ProbeRequest['headers']>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

const joined = ({ headers }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
