/**
 * Proves which bodies a POST may have (JSON-RPC 2.0 §5.1): JSON of bounded size and depth, and the standard error for
 * all others.
 */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type Harness, PING, post, startHarness } from '../../support/http-harness.ts';

let server: Harness;
let token: string;
beforeAll(async () => {
  server = await startHarness();
  token = await server.token();
});
beforeEach(() => {
  server.ran.length = 0;
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const LIMIT = 1024 * 1024;
const sized = (bytes: number): string => {
  const frame = JSON.stringify({ ...PING, params: { padding: '' } });
  return frame.replace('""', `"${'x'.repeat(bytes - frame.length)}"`);
};
const streamed = (text: string): RequestInit => ({
  ...post(token, ''),
  body: Readable.toWeb(Readable.from([text.slice(0, 100), text.slice(100)].map((part) => Buffer.from(part)))) as never,
  duplex: 'half',
});

describe('JSON-RPC 2.0 §5.1 parse error and invalid request', () => {
  it.each(['', '{', 'not json', '{"a":1,}', '[1', '\u0000', '{"__proto__":{"a":1}}'])(
    'the body %j is -32700',
    async (body) => {
      const response = await server.fetch('/mcp', post(token, body));
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        jsonrpc: '2.0',
        id: null,
        error: { code: -32700, message: 'Parse error' },
      });
      expect(server.ran).toEqual([]);
    },
  );

  it.each(['1', '"text"', 'null', 'true'])('the body %s is -32600', async (body) => {
    const response = await server.fetch('/mcp', post(token, body));
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600 } });
  });

  it('JSON-RPC 2.0 §5.1 a message nested too deeply is refused with the id of its request', async () => {
    const nested = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
    const body = `{"jsonrpc":"2.0","id":7,"method":"ping","params":${nested}}`;
    const answer = await server.fetch('/mcp', post(token, body));
    expect(answer.status).toBe(400);
    const message = 'Invalid Request: it may be nested at most 64 levels deep';
    expect(await answer.json()).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32600, message } });
  });

  it('a very deeply nested message is refused without a stack overflow', async () => {
    for (const depth of [65, 100_000]) {
      const response = await server.fetch('/mcp', post(token, `${'['.repeat(depth)}${']'.repeat(depth)}`));
      expect(response.status).toBe(400);
    }
    expect(server.ran).toEqual([]);
  });

  it('hole 2.13: an error never repeats or logs what was sent, and shows no stack', async () => {
    const response = await server.fetch('/mcp', post(token, '{"password":"hunter2",'));
    expect(await response.text()).not.toMatch(/hunter2|\.ts|node_modules/);
    expect(server.log.join('')).not.toContain('hunter2');
  });
});

describe('the size of a body', () => {
  it('a message of exactly 1 MiB is accepted', async () => {
    expect((await server.fetch('/mcp', post(token, sized(LIMIT)))).status).toBe(200);
  });

  it('RFC 9110 §15.5.14 a message of one byte more is refused, with or without Content-Length', async () => {
    for (const init of [post(token, sized(LIMIT + 1)), streamed(sized(LIMIT + 1))]) {
      const response = await server.fetch('/mcp', init);
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ error: 'invalid_request' });
    }
    expect(server.ran).toEqual([]);
  });

  it('a body without Content-Length is read', async () => {
    expect((await server.fetch('/mcp', streamed(sized(1_000)))).status).toBe(200);
  });
});

describe('RFC 9110 §15.5.16 media type', () => {
  const typed = (type: string) => post(token, PING, { 'content-type': type });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
    'the media type %s is accepted',
    async (type) => {
      expect((await server.fetch('/mcp', typed(type))).status).toBe(200);
    },
  );

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-patch+json',
    'application/json; charset=utf-16',
    'nonsense',
  ])('the media type %s is refused', async (type) => {
    expect((await server.fetch('/mcp', typed(type))).status).toBe(415);
    expect(server.ran).toEqual([]);
  });

  it('a body without a media type, and a compressed body, are refused', async () => {
    const untyped = { method: 'POST', headers: bearer(token), body: Buffer.from(JSON.stringify(PING)) };
    expect((await server.fetch('/mcp', untyped)).status).toBe(415);
    const bomb = { ...post(token, '', { 'content-encoding': 'gzip' }), body: gzipSync('['.repeat(10_000_000)) };
    expect((await server.fetch('/mcp', bomb)).status).toBe(415);
  });
});
