/**
 * Owns one HTTP request of the doctor and what is recorded of its answer. Each request has a connection of its own, a time limit and a
 * limit of bytes. Redirects are recorded and never followed. Nothing is decoded.
 */
import { ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';

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
  /** Trusted besides the authorities of the system. */
  readonly ca?: readonly string[] | undefined;
}

/** Metadata has some KiB, a list of tools some hundred. */
const MOST_BYTES = 1024 * 1024;

export const createAsk =
  ({ now, timeout, ca }: AskOptions): Ask =>
  ({ url, method = 'GET', headers = {}, body, until }) => {
    const target = new URL(url);
    const sentAt = now();
    const none = { url: target.href, status: 0, headers: {}, body: '', cut: false, sentAt };
    return new Promise((resolve) => {
      const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
      const options: RequestOptions & { ca?: string[] } = {
        method,
        agent: false,
        headers: { ...sentHeaders(headers), ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) },
        ...(ca && { ca: [...ca] }),
      };
      const sent = begin(() => send(target, options));
      if (!(sent instanceof ClientRequest)) {
        resolve({ ...none, failure: sent, answeredAt: now() });
        return;
      }
      const give = (failure: string) => {
        clearTimeout(timer);
        sent.destroy();
        resolve({ ...none, failure, answeredAt: now() });
      };
      const timer = setTimeout(() => give('TIMEOUT'), timeout);
      sent.on('error', (error) => give(codeOf(error)));
      sent.once('response', (answer) => {
        clearTimeout(timer);
        const answeredAt = now();
        const head = { ...none, status: answer.statusCode ?? 0, headers: joined(answer), answeredAt };
        const isStream = answer.headers['content-type']?.startsWith('text/event-stream');
        const reading =
          until === 'head' && isStream ? Promise.resolve({ body: '', cut: true }) : bodyOf(answer, timeout, until);
        void reading.then((read) => {
          sent.destroy();
          resolve({ ...head, ...read });
        });
      });
      sent.end(body);
    });
  };

/** Replaces what must not be shown in whatever a server answers, before anything is cut from it. */
export const withoutSecrets =
  (ask: Ask, secrets: () => readonly string[]): Ask =>
  async (asked) => {
    const response = await ask(asked);
    const hide = (text: string) => secrets().reduce((rest, secret) => rest.replaceAll(secret, '…'), text);
    const headers = Object.entries(response.headers).map(([name, value]) => [name, hide(value)] as const);
    return { ...response, body: hide(response.body), headers: Object.fromEntries(headers) };
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

/** A header that is not allowed throws at once. */
function begin(send: () => ClientRequest): ClientRequest | string {
  try {
    return send();
  } catch (error) {
    return codeOf(error);
  }
}

/** A comment, which only keeps a stream open, is no event; but it shows as well that nothing holds the stream back. */
const hasEvent = (chunk: Buffer): boolean => /\n\r?\n|\r\r/.test(chunk.toString('latin1'));

const sentHeaders = (headers: NonNullable<ProbeRequest['headers']>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

const joined = ({ headers }: IncomingMessage): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String((error as Error).message);
