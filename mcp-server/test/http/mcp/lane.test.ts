/**
 * Proves that the lane resists broken and hostile requests: odd targets, incomplete bodies, and endpoints that fail.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type Harness, type HarnessOptions, PING, post, startHarness } from '../../support/http-harness.ts';

const socketTo = ({ url }: Harness): Socket => connect(Number(new URL(url).port), '127.0.0.1');

/** The status of a request whose target is sent unchanged; fetch and Node would correct it. */
async function statusOf(server: Harness, target: string, lines: readonly string[] = []): Promise<number> {
  const socket = socketTo(server);
  socket.write([`GET ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n'));
  return Number((await text(socket)).split(' ')[1]);
}

/** Lines of the log with this message. */
const said = ({ log }: Harness, msg: string) => log.map((line) => JSON.parse(line)).filter((line) => line.msg === msg);

describe('RFC 9112 §3.2 spellings of a request target', () => {
  it.each([
    '/mcp',
    '/mcp/',
    '/MCP',
    '/Sse/',
    '/mcp?',
    '/mcp?x=/other',
    'http://localhost/mcp',
    'HTTP://localhost/mcp?a',
  ])('the target %s is an endpoint, which requires a token', async (target) => {
    await using server = await startHarness();
    expect(await statusOf(server, target)).toBe(401);
    expect(await statusOf(server, target, [`Authorization: Bearer ${await server.token()}`])).toBe(200);
  });

  it.each([
    '//mcp', '/./mcp', '/mcp//', '/%6dcp', '/mcp%2f', '/mcp%00', '/mcp;a', '/x/../mcp', '/mcp/..', '/mcp#a', '\\mcp',
    'mcp', '*', 'localhost:80', 'ftp://localhost/mcp', 'http:///mcp', 'http://localhost//mcp',
  ])('the target %s is no endpoint, even with a token', async (target) => {
    await using server = await startHarness();
    expect([400, 403, 404]).toContain(await statusOf(server, target, [`Authorization: Bearer ${await server.token()}`]));
    expect(server.ran).toEqual([]);
  }); // biome-ignore format: one list

  it('§3.2.2 the host of an absolute target overrides the header', async () => {
    await using server = await startHarness();
    expect(await statusOf(server, 'http://evil.example/mcp')).toBe(403);
  });

  it('RFC 6750 §2.3 a token in the URL is found in every spelling', async () => {
    await using server = await startHarness();
    for (const query of ['access_token=x', 'a=b&access_token', '%61ccess_token=x', 'access%5Ftoken=x']) {
      expect(await statusOf(server, `/mcp?${query}`)).toBe(400);
      expect(await statusOf(server, `http://localhost/mcp?${query}`)).toBe(400);
    }
  });
});

describe('the body of a request', () => {
  const head = (token: string, more: string): string =>
    [
      'POST /mcp HTTP/1.1',
      'Host: localhost',
      'Content-Type: application/json',
      `Authorization: Bearer ${token}`,
      `${more}\r\n\r\n`,
    ].join('\r\n');

  it('a body whose sender disconnects runs nothing, and is logged without a status', async () => {
    await using server = await startHarness();
    const socket = socketTo(server);
    socket.write(`${head(await server.token(), 'Content-Length: 100')}{"jsonrpc"`);
    await expect.poll(() => server.received).toBe(1);
    socket.destroy();
    await expect.poll(() => said(server, 'request')).toHaveLength(1);
    expect(said(server, 'request')[0]).not.toHaveProperty('status');
    expect(server.ran).toEqual([]);
    expect(said(server, 'request failed')).toEqual([]);
  });

  it('a body may arrive in any number of pieces', async () => {
    await using server = await startHarness();
    const socket = socketTo(server);
    const body = JSON.stringify({ ...PING, params: { name: 'Grüße €' } });
    socket.write(head(await server.token(), 'Transfer-Encoding: chunked'));
    for (const byte of Buffer.from(body)) socket.write(Buffer.from([0x31, 13, 10, byte, 13, 10]));
    socket.write('0\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    expect(server.ran).toMatchObject([{ message: { params: { name: 'Grüße €' } } }]);
  });

  it('RFC 8259 §8.1 a body may begin with a byte order mark, and must be UTF-8', async () => {
    await using server = await startHarness();
    const token = await server.token();
    expect((await server.fetch('/mcp', post(token, `\ufeff${JSON.stringify(PING)}`))).status).toBe(200);
    const latin = { ...post(token, ''), body: Buffer.from('{"a":"\xe9"}', 'latin1') };
    const refused = await server.fetch('/mcp', latin);
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } },
    ]);
  });

  it('a body that is too large is answered while it still arrives', async () => {
    await using server = await startHarness();
    const socket = socketTo(server);
    socket.write(head(await server.token(), 'Content-Length: 999999999'));
    const [answer] = await once(socket, 'data');
    socket.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1.1 413 /);
  });
});

describe('an endpoint that fails', () => {
  const failing = async (streamable: HarnessOptions['streamable']) => {
    const server = await startHarness({ ...(streamable && { streamable }) });
    return Object.assign(server, { call: async () => server.fetch('/mcp', post(await server.token(), PING)) });
  };

  it.each([
    ['throws', () => { throw new Error('secret detail'); }],
    ['rejects', () => Promise.reject(new Error('secret detail'))],
  ])('an endpoint that %s is answered with a 500 without details', async (_, streamable) => {
    await using server = await failing(streamable);
    const response = await server.call();
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: 'server_error',
      error_description: 'Something went wrong on our side. Please try again.',
    });
    expect(said(server, 'request failed')).toMatchObject([{ err: { message: 'secret detail' } }]);
  }); // biome-ignore format: one table

  it('an endpoint that fails after its answer has begun ends the connection', async () => {
    await using server = await failing(async ({ res }) => {
      res.writeHead(200, { 'Content-Length': 100 }).write('half');
      throw new Error('broke');
    });
    const response = await server.call();
    await expect(response.text()).rejects.toThrow();
    expect((await server.fetch('/mcp')).status).toBe(401);
  });
});

describe('the log of a request', () => {
  it('a request is logged in one line with its id, which the client gets too', async () => {
    await using server = await startHarness();
    const response = await server.fetch('/mcp?session=canary', { headers: { authorization: 'Bearer canary' } });
    await expect.poll(() => said(server, 'request')).toHaveLength(1);
    const [line] = said(server, 'request');
    expect(line).toMatchObject({ level: 'info', method: 'GET', path: '/mcp', status: 401, ms: expect.any(Number) });
    expect(line.request).toBe(response.headers.get('x-request-id'));
    expect(said(server, 'request refused')).toMatchObject([{ request: line.request, reason: 'malformed' }]);
    expect(server.log.join('')).not.toContain('canary');
  });
});

describe('MCP 2026-07-28 basic/transports/streamable-http, "Custom Headers from Tool Parameters"', () => {
  it('a preflight allows the requested Mcp-Param- headers, and no invalid ones', async () => {
    await using server = await startHarness();
    const asked =
      'authorization, mcp-method, mcp-name, Mcp-Param-Region, mcp-param-x, x-evil, mcp-param-a b, mcp-param-';
    const response = await server.fetch('/mcp', {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      },
    });
    const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase().split(',');
    expect(allowed).toEqual(expect.arrayContaining(['mcp-method', 'mcp-name', 'mcp-param-region', 'mcp-param-x']));
    expect(allowed?.filter((name) => name.startsWith('x-') || name.includes(' ') || name.endsWith('-'))).toEqual([]);
  });
});
