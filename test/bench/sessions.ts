/** Owns many sessions from the side of their clients: opened, with or without an open stream, and ended. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { initializeMessage, requestHeaders, sessionHeaders } from './mcp-parties.ts';

/** Number of concurrent requests. */
const AT_ONCE = 25;

export interface OpenSession {
  readonly id: string;
  readonly token: string;
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

interface Ask {
  readonly method: 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @throws Error for an answer that is not a success */
function ask(port: number, { method, headers, body }: Ask): Promise<IncomingMessage> {
  const length = body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length };
  return new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path: '/mcp', method, headers: { ...headers, ...length } };
    const outgoing = request(options, (answer) => {
      answer.resume();
      const { statusCode = 0 } = answer;
      if (statusCode >= 300) reject(new Error(`${method} answered ${statusCode}`));
      else answer.once('end', () => resolve(answer));
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

async function openSession(port: number, token: string): Promise<OpenSession> {
  const answer = await ask(port, { method: 'POST', headers: requestHeaders(token), body: initializeMessage });
  const id = String(answer.headers['mcp-session-id']);
  const body = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await ask(port, { method: 'POST', headers: sessionHeaders(token, id), body });
  return { id, token };
}

/** One session for each token, in order. */
export const openSessions = (port: number, tokens: readonly string[]): Promise<OpenSession[]> =>
  inTurns(tokens, (token) => openSession(port, token));

export const endSessions = (port: number, sessions: readonly OpenSession[]): Promise<unknown> =>
  inTurns(sessions, ({ id, token }) => ask(port, { method: 'DELETE', headers: sessionHeaders(token, id) }));

export interface OpenStream {
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>;
  /** Resolves at the first comment of the server, which keeps the connection alive. */
  readonly keptAlive: Promise<void>;
  leave(): void;
}

/** The standalone stream of each session, on a connection of its own. */
export const openStreams = (port: number, sessions: readonly OpenSession[]): Promise<OpenStream[]> =>
  hold(
    port,
    sessions.map(({ id, token }) => get('/mcp', sessionHeaders(token, id))),
  );

/** For each token a stream of HTTP+SSE, which is a session of its own. */
export const openLegacyStreams = (port: number, tokens: readonly string[]): Promise<OpenStream[]> =>
  hold(
    port,
    tokens.map((token) => get('/sse', requestHeaders(token))),
  );

const get = (path: string, headers: Readonly<Record<string, string>>): string => {
  const fields = Object.entries({ ...headers, Accept: 'text/event-stream' });
  return `GET ${path} HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
};

/** Sends each request on a connection of its own, and leaves the answer open after its head has arrived. */
export const hold = (port: number, requests: readonly string[]): Promise<OpenStream[]> =>
  inTurns(requests, (request) => holdOne(port, request));

/** Discards what it receives: with thousands of streams, the memory of the client must not grow. */
function holdOne(port: number, request: string): Promise<OpenStream> {
  const ended = Promise.withResolvers<void>();
  const keptAlive = Promise.withResolvers<void>();
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const leave = () => {
      socket.destroy();
      ended.resolve();
    };
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 200')) resolve({ ended: ended.promise, keptAlive: keptAlive.promise, leave });
      else if (text.startsWith('HTTP/')) reject(new Error(text));
      if (text.includes(': keep-alive\n')) keptAlive.resolve();
      if (text.endsWith('0\r\n\r\n')) leave();
    });
  });
}

async function inTurns<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + AT_ONCE).map(work))));
  }
  return results;
}
