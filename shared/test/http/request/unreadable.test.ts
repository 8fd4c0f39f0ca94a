/** Proves what the client and the log are told when the HTTP parser refuses a request (RFC 9112 §2.2). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { type Listening, listen } from '@mcp-oauth/shared/http/server';
import { createLogger } from '@mcp-oauth/shared/logger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const lines: string[] = [];
let listening: Listening;
beforeAll(async () => {
  const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  listening = await listen((_, res) => res.end('hello'), { host: '127.0.0.1', port: 0, maxHeaderSize: 20_000, log });
});
beforeEach(() => {
  lines.length = 0;
});
afterAll(() => listening.close());

/** Sends the pieces one after the other and returns the answer. */
async function answer(...pieces: readonly string[]): Promise<string> {
  const socket = connect(listening.port, '127.0.0.1');
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const ended = once(socket, 'close');
  for (const piece of pieces) await new Promise<void>((sent) => void socket.write(piece, () => sent()));
  await ended;
  return text;
}

const said = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
const head = (size: number) =>
  `GET /mcp?code=secret HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer ${'x'.repeat(size)}\r\n\r\n`;

describe('a header that is too large', () => {
  it.each([
    ['by 100 bytes', 20_100],
    ['by a factor of 100', 2_000_000],
  ])(
    'RFC 6585 §5 a header that is too large %s is refused with its limit, readable for web pages, and logged',
    async (_, size) => {
      const text = await answer(head(size));
      expect(text).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
      expect(text).toMatch(/\r\nAccess-Control-Allow-Origin: \*\r\n/);
      expect(text).toMatch(/\r\nConnection: close\r\n/);
      expect(text).not.toMatch(/WWW-Authenticate|invalid_token/i);
      expect(text).toMatch(/this server accepts 20000 bytes/);
      const id = /X-Request-Id: (\S+)/.exec(text)?.[1];
      expect(said()).toMatchObject([
        {
          request: id,
          msg: 'request refused',
          reason: 'header_too_large',
          status: 431,
          limit: 20_000,
          setting: 'MAX_HEADER_SIZE',
          method: 'GET',
          path: '/mcp',
        },
      ]);
      expect(said()[0]?.received).toBeGreaterThanOrEqual(20_000);
      expect(lines.join()).not.toMatch(/secret|xxx/);
    },
  );

  it('many small header fields that are too large together are refused with 431', async () => {
    const fields = Array.from({ length: 3_000 }, (_, index) => `X-${index}: y\r\n`).join('');
    expect(await answer(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('a request target that is too long is refused with 431', async () => {
    expect(await answer(`GET /${'x'.repeat(30_000)} HTTP/1.1\r\nHost: a\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('a large header that arrives in pieces is refused with 431 and the limit', async () => {
    const pieces = head(40_000).match(/.{1,3000}/gs) ?? [];
    expect(await answer(...pieces)).toMatch(/^HTTP\/1\.1 431 [\s\S]+accepts 20000 bytes/);
    expect(lines).toHaveLength(1);
  });

  it('every one of a hundred clients reads its 431, although the server does not read the rest of the header', async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => answer(head(300_000))));
    expect(answers.filter((text) => text.startsWith('HTTP/1.1 431 '))).toHaveLength(100);
  });

  it('a large header on a connection that served another request is refused with 431', async () => {
    const text = await answer(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${head(50_000)}`);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]+hello[\s\S]*HTTP\/1\.1 431 /);
  });
});

describe('bytes that are not HTTP', () => {
  it.each([
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a field without a name', 'GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n'],
    ['a control character in a field', 'GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n'],
  ])('RFC 9112 §2.2 %s is answered 400 like every other error, and logged without its bytes', async (_, bytes) => {
    const text = await answer(bytes);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toMatch(/X-Content-Type-Options: nosniff/);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toEqual({
      error: 'invalid_request',
      error_description: 'The request is not valid HTTP/1.1.',
    });
    expect(said()).toMatchObject([{ msg: 'request refused', status: 400 }]);
  });

  it('an error is never written into an answer that has begun', async () => {
    const streaming = await listen((_, res) => void res.write('first'), { host: '127.0.0.1', port: 0 });
    const socket = connect(streaming.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('first\r\n')) socket.write('\x00\x00\r\n\r\n');
    });
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(socket, 'close');
    expect(text).not.toMatch(/400/);
    await streaming.close();
  });
});
