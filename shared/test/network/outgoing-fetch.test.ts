/** Proves how URLs of the operator are fetched: without content coding, without redirects, and with a time limit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchJson, reasonOf } from '../../src/documents/remote-document.ts';
import { createOutgoingFetch } from '../../src/network/outgoing-fetch.ts';
import { serve, type TestServer } from '../../testing/listen.ts';

interface Came {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** A body that never ends. */
  readonly endless?: boolean;
}

let server: TestServer;
let came: Came[] = [];
let answer: Answer;
beforeAll(async () => {
  server = await serve(async (req, res) => {
    let body = '';
    for await (const part of req) body += part;
    came.push({ method: req.method, url: req.url, headers: req.headers, body });
    res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers });
    if (answer.endless) res.write('{');
    else res.end(answer.body ?? '{"a":1}');
  });
});
afterAll(() => server.close());
beforeEach(() => {
  came = [];
  answer = {};
});

const fetch = createOutgoingFetch();
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => 'answered',
    (error: unknown) => reasonOf(error),
  );

describe('RFC 9110 §12.5.3 an answer in a content coding', () => {
  it.each([
    ['br', brotliCompressSync('{"a":1}')],
    ['gzip', gzipSync('{"a":1}')],
    ['deflate', deflateSync('{"a":1}')],
    ['zstd', Buffer.from('nothing of the kind')],
    ['identity, br', brotliCompressSync('{"a":1}')],
  ])('the content coding %s is never requested, and refused without being decoded', async (coding, body) => {
    answer = { headers: { 'content-encoding': coding }, body };
    for (const ask of [fetch, globalThis.fetch]) {
      expect(await failure(fetchJson(ask, `${server.url}/keys?secret=1`))).toBe(
        `${server.url}/keys answered with the content coding ${coding} although none is accepted`,
      );
    }
    expect(came.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity', 'identity']);
  });

  it('the content coding identity is accepted', async () => {
    answer = { headers: { 'content-encoding': 'Identity' } };
    expect(await fetchJson(fetch, server.url)).toEqual({ a: 1 });
  });

  it('a caller cannot request a content coding', async () => {
    await fetch(server.url, { headers: { 'Accept-Encoding': 'br' } });
    expect(came[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('an answer that is passed on is not decoded', async () => {
    const packed = gzipSync('{"a":1}');
    answer = { body: packed };
    expect(Buffer.from(await (await fetch(server.url)).arrayBuffer())).toEqual(packed);
  });
});

describe('Fetch §5.4 an outgoing request', () => {
  it('a request is sent as given: method, headers, form', async () => {
    const body = new URLSearchParams({ code: 'a b', grant_type: 'authorization_code' });
    const response = await fetch(new URL(`${server.url}/token?x=1`), {
      method: 'POST',
      headers: new Headers({ authorization: 'Basic eA==', accept: 'application/json' }),
      body,
    });
    expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([
      200,
      'application/json',
      { a: 1 },
    ]);
    expect(came).toMatchObject([
      {
        method: 'POST',
        url: '/token?x=1',
        headers: {
          authorization: 'Basic eA==',
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          'content-length': '38',
        },
        body: body.toString(),
      },
    ]);
  });

  it('RFC 9110 §10.1.5 a request has a User-Agent, unless its caller sets one', async () => {
    await fetch(server.url);
    await fetch(server.url, { headers: { 'User-Agent': 'other', Accept: 'application/json' } });
    expect(came.map(({ headers }) => [headers['user-agent'], headers.accept])).toEqual([
      ['mcp-oauth-server', '*/*'],
      ['other', 'application/json'],
    ]);
  });

  it.each([204, 304])('an answer %i has no body', async (status) => {
    answer = { status, body: '' };
    const response = await fetch(server.url);
    expect([response.status, await response.text()]).toEqual([status, '']);
  });

  it.each([301, 302, 303, 307, 308])('a redirect %i is never followed', async (status) => {
    answer = { status, headers: { location: '/elsewhere' } };
    for (const redirect of ['error', 'follow'] as const) {
      expect(await failure(fetch(server.url, { redirect }))).toContain(`answered ${status}, a redirect`);
    }
    expect((await fetch(server.url, { redirect: 'manual' })).headers.get('location')).toBe('/elsewhere');
    expect(came.every(({ url }) => url === '/')).toBe(true);
  });

  it('a request ends with its abort signal, before the answer and in the middle of it', async () => {
    answer = { endless: true };
    const aborting = new AbortController();
    const response = await fetch(server.url, { signal: aborting.signal });
    const text = response.text();
    aborting.abort(new Error('enough'));
    await expect(text).rejects.toThrow();
    await expect(fetch(server.url, { signal: AbortSignal.abort(new Error('before')) })).rejects.toThrow('before');
  });

  it('a request that reaches no server says why', async () => {
    const gone = await serve(() => {});
    await gone.close();
    expect(await failure(fetch(gone.url))).toMatch(/^fetch failed: .*ECONNREFUSED/);
    expect(await failure(fetch('file:///etc/passwd'))).toContain("file: can't be fetched");
  });
});

describe('connections that are used again', () => {
  const KEPT = { idle: 60_000, unused: 1, all: 2 };
  const text = async (asked: Promise<Response>) => (await asked).text();

  it('a connection is used again for the same host and port alone', async () => {
    const ports: (number | undefined)[] = [];
    const record = (req: IncomingMessage, res: ServerResponse) => {
      ports.push(req.socket.remotePort);
      res.end('ok');
    };
    await using one = await serve(record);
    await using two = await serve(record);
    const keeping = createOutgoingFetch({}, KEPT);
    for (const { url } of [one, one, two, one]) await text(keeping(url));
    expect(new Set(ports).size).toBe(2);
    ports.length = 0;
    for (const { url } of [one, one]) await text(fetch(url));
    expect(new Set(ports).size, 'without the option each is used once').toBe(2);
  });

  it('RFC 9110 §9.2.2 a GET whose kept connection was closed meanwhile is sent again, and a POST has a new one in any case', async () => {
    const sockets: Socket[] = [];
    const methods: string[] = [];
    await using host = await serve((req, res) => {
      // The first connection is closed instead of a second answer.
      if (req.socket === sockets[0]) req.socket.destroy();
      else res.end('ok');
      methods.push(String(req.method));
      if (!sockets.includes(req.socket)) sockets.push(req.socket);
    });
    const keeping = createOutgoingFetch({}, KEPT);
    expect(await text(keeping(host.url))).toBe('ok');
    expect(await text(keeping(host.url, { method: 'POST', body: 'x' }))).toBe('ok');
    expect(methods).toEqual(['GET', 'POST']);
    expect(await text(keeping(host.url))).toBe('ok');
    expect(methods).toEqual(['GET', 'POST', 'GET', 'GET']);
  });

  it('no more than so many connections to one host are open, and further requests wait', async () => {
    const waiting: ServerResponse[] = [];
    await using host = await serve((_, res) => void waiting.push(res));
    const keeping = createOutgoingFetch({}, KEPT);
    const all = Array.from({ length: 3 }, () => text(keeping(host.url)));
    await expect.poll(() => waiting.length).toBe(2);
    waiting.shift()?.end('ok');
    await expect.poll(() => waiting.length).toBe(2);
    for (const res of waiting) res.end('ok');
    expect(await Promise.all(all)).toEqual(['ok', 'ok', 'ok']);
  });

  it('a request that waits for a connection ends with its abort signal, and never reaches the host', async () => {
    const waiting: ServerResponse[] = [];
    await using host = await serve((_, res) => void waiting.push(res));
    const keeping = createOutgoingFetch({}, KEPT);
    const all = Array.from({ length: 2 }, () => text(keeping(host.url)));
    await expect.poll(() => waiting.length).toBe(2);
    const aborting = new AbortController();
    const late = keeping(host.url, { signal: aborting.signal });
    const ended = expect(late).rejects.toThrow('enough');
    await new Promise(setImmediate);
    aborting.abort(new Error('enough'));
    await ended;
    for (const res of waiting) res.end('ok');
    expect(await Promise.all(all)).toEqual(['ok', 'ok']);
    const next = text(keeping(host.url));
    await expect.poll(() => waiting.length).toBe(3);
    waiting[2]?.end('ok');
    expect(await next).toBe('ok');
  });

  it('a connection that nobody uses is closed', async () => {
    const sockets = new Set<Socket>();
    await using host = await serve((req, res) => {
      sockets.add(req.socket);
      res.end('ok');
    });
    await text(createOutgoingFetch({}, { ...KEPT, idle: 20 })(host.url));
    const [socket] = sockets;
    await expect.poll(() => socket?.destroyed).toBe(true);
  });
});
