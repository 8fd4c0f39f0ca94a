/** Proves Streamable HTTP on the wire (MCP 2025-11-25 basic/transports). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  call,
  frames,
  initialize,
  json,
  messages,
  openSession,
  request,
  send,
  startMcp,
  type TestMcp,
} from '../../../support/protocol-harness.ts';

let mcp: TestMcp;
beforeAll(async () => {
  mcp = await startMcp();
});
afterAll(() => mcp[Symbol.asyncDispose]());

const post = (message: unknown, options = {}) => send(mcp.url, message, options);

describe('MCP 2025-11-25 basic/transports: sending messages to the server', () => {
  it('a request is answered with one JSON object, with Content-Length and no-store', async () => {
    const session = await openSession(mcp.url);
    const response = await post(call(1, 'echo', { message: 'hi' }), { session });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ id: 1, result: { structuredContent: { echoed_message: 'hi' } } });
  });

  it('an answer becomes a stream as soon as a notification precedes it', async () => {
    const session = await openSession(mcp.url);
    const counting = call(1, 'countdown', { from: 2, interval_ms: 0 }, { _meta: { progressToken: 'p' } });
    const response = await post(counting, { session });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const said = await messages(response);
    expect(said.map((message) => message.params?.progress ?? message.result.structuredContent)).toEqual([
      0,
      1,
      2,
      { counted: 2 },
    ]);
  });

  it('a client that sent no progress token gets no progress', async () => {
    const session = await openSession(mcp.url);
    const response = await post(call(1, 'countdown', { from: 2, interval_ms: 0 }), { session });
    expect(response.headers.get('content-type')).toBe('application/json');
  });

  it('a client that accepts only JSON gets the answer alone', async () => {
    const session = await openSession(mcp.url);
    const counting = call(1, 'countdown', { from: 2, interval_ms: 0 }, { _meta: { progressToken: 'p' } });
    const response = await post(counting, { session, headers: { Accept: 'application/json' } });
    expect(await response.json()).toMatchObject({ id: 1, result: { structuredContent: { counted: 2 } } });
  });

  it('a client that accepts only a stream gets a stream', async () => {
    const session = await openSession(mcp.url);
    const response = await post(call(1, 'echo', { message: 'x' }), {
      session,
      headers: { Accept: 'text/event-stream' },
    });
    expect(await messages(response)).toMatchObject([{ id: 1, result: {} }]);
  });

  it.each([
    ['text/html', 406],
    ['*/*', 200],
    ['application/*, text/event-stream;q=0.5', 200],
  ])('Accept: %s is answered with %i', async (Accept, status) => {
    const session = await openSession(mcp.url);
    expect((await post(request(1, 'ping'), { session, headers: { Accept } })).status).toBe(status);
  });

  it('notifications and responses are acknowledged with 202 and no body', async () => {
    const session = await openSession(mcp.url);
    for (const message of [
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      { jsonrpc: '2.0', id: 99, result: {} },
    ]) {
      const response = await post(message, { session });
      expect([response.status, await response.text()]).toEqual([202, '']);
    }
  });

  it.each([
    ['a string', '"hello"'],
    ['null', 'null'],
    ['an empty batch', []],
    ['no version', { id: 7, method: 'ping' }, 7],
    ['an id of null', { jsonrpc: '2.0', id: null, method: 'ping' }],
    ['an id with a fraction', { jsonrpc: '2.0', id: 1.5, method: 'ping' }],
    ['params of no object', { jsonrpc: '2.0', id: 1, method: 'ping', params: 3 }, 1],
    ['an invalid progress token', request(1, 'tools/call', { name: 'echo', _meta: { progressToken: {} } }), 1],
    ['one bad message of two', [request(1, 'ping'), 7]],
  ])('JSON-RPC 2.0 §5.1: %s is answered 400 with -32600 and its id', async (_, body, id?: number) => {
    const session = await openSession(mcp.url, 'ada', '2025-03-26');
    const response = await post(body, { session });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: id ?? null, error: { code: -32600 } });
  });

  it('an unknown method is answered with -32601', async () => {
    const session = await openSession(mcp.url);
    expect(await (await post(request(1, 'no/such'), { session })).json()).toMatchObject({ error: { code: -32601 } });
  });
});

describe('MCP 2025-03-26 basic/transports: batches', () => {
  it('a batch is answered with an array of every answer', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-03-26');
    const batch = [request(1, 'ping'), { jsonrpc: '2.0', method: 'notifications/initialized' }, request(2, 'ping')];
    const answers = await json(await post(batch, { session }));
    expect(answers.map(({ id }: { id: number }) => id).sort()).toEqual([1, 2]);
  });

  it('a batch is streamed when one of its calls has notifications', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-03-26');
    const counting = call(2, 'countdown', { from: 1, interval_ms: 5 }, { _meta: { progressToken: 'p' } });
    const said = await messages(await post([request(1, 'ping'), counting], { session }));
    expect(said.filter(({ result }) => result).map(({ id }) => id)).toEqual([1, 2]);
  });

  it('a batch in a session of 2025-06-18 or later is refused, as the revision has none', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-06-18');
    expect((await post([request(1, 'ping')], { session })).status).toBe(400);
  });

  it('an initialize in a batch is refused', async () => {
    expect((await post([initialize()])).status).toBe(400);
  });
});

describe('MCP 2025-11-25 basic/transports: session management', () => {
  it('every session has an id of 24 random bytes', async () => {
    const ids = await Promise.all([openSession(mcp.url), openSession(mcp.url)]);
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^[\w-]{32}$/);
  });

  it('a missing session id is answered with 400, and an unknown one with 404', async () => {
    expect((await post(request(1, 'ping'))).status).toBe(400);
    for (const session of ['unknown', 'constructor', '__proto__', 'toString']) {
      const response = await post(request(1, 'ping'), { session });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { code: -32001, message: 'Session not found' } });
    }
  });

  it.each(['bob', 'ada-elsewhere', 'ada-at-another-issuer'])(
    'a foreign session id of %s is answered exactly as an unknown one, and logged as a security event',
    async (as) => {
      const session = await openSession(mcp.url);
      const foreign = await post(request(1, 'ping'), { session, as });
      const unknown = await post(request(1, 'ping'), { session: 'unknown', as });
      expect([foreign.status, await foreign.text()]).toEqual([unknown.status, await unknown.text()]);
      expect((await send(mcp.url, undefined, { method: 'DELETE', session, as })).status).toBe(404);
      expect((await send(mcp.url, undefined, { method: 'GET', session, as })).status).toBe(404);
      expect(mcp.lines.filter((line) => line.includes('"security":true')).at(-1)).toContain(
        `"subject":"${as.split('-')[0]}"`,
      );
      expect(mcp.lines.join()).not.toContain(session);
    },
  );

  it('DELETE ends a session, after which it is 404', async () => {
    const session = await openSession(mcp.url);
    expect((await send(mcp.url, undefined, { method: 'DELETE', session })).status).toBe(204);
    expect((await post(request(1, 'ping'), { session })).status).toBe(404);
    expect((await send(mcp.url, undefined, { method: 'DELETE' })).status).toBe(400);
  });

  it('an initialize with a session id or with bad parameters is refused, and opens nothing', async () => {
    const session = await openSession(mcp.url);
    const before = await mcp.endpoints.sessions.count();
    expect((await post(initialize(), { session })).status).toBe(400);
    const bad = await post(request(1, 'initialize', { protocolVersion: 1 }));
    expect([bad.status, (await json(bad)).error.code]).toEqual([400, -32602]);
    expect(await mcp.endpoints.sessions.count()).toBe(before);
  });

  it('an initialize with more client data than a session can keep is refused', async () => {
    const saying = (length: number) =>
      post(initialize('2025-11-25', { experimental: { x: { y: 'z'.repeat(length) } } }));
    expect((await saying(60_000)).status).toBe(200);
    const refused = await saying(70_000);
    expect([refused.status, (await json(refused)).error.code]).toEqual([400, -32602]);
  });

  it('a request id that is in use is refused, also twice in a batch, and accepted after the answer', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-03-26');
    const slow = await post(call(1, 'countdown', { from: 1, interval_ms: 4_000 }, { _meta: { progressToken: 1 } }), {
      session,
    });
    const repeated = await post(request(1, 'ping'), { session });
    expect([repeated.status, (await json(repeated)).error.code]).toEqual([400, -32600]);
    expect((await post([request(2, 'ping'), request(2, 'ping')], { session })).status).toBe(400);
    await post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }, { session });
    expect((await messages(slow)).some(({ result }) => result)).toBe(false);
    expect((await post(request(1, 'ping'), { session })).status).toBe(200);
  });
});

describe('MCP 2025-11-25 basic/transports: protocol version header', () => {
  it('an unknown revision is answered with 400 and the supported list', async () => {
    const session = await openSession(mcp.url);
    const response = await post(request(1, 'ping'), { session, headers: { 'MCP-Protocol-Version': '1999-01-01' } });
    expect(response.status).toBe(400);
    expect((await json(response)).error.data.supported).toContain('2025-11-25');
  });

  it('a request without the header counts as 2025-03-26', async () => {
    const session = await openSession(mcp.url);
    expect((await post(request(1, 'ping'), { session })).status).toBe(200);
  });
});

describe('MCP 2025-11-25 basic/transports: listening for messages from the server', () => {
  it('a session has one listening stream: a newer one ends the older', async () => {
    const session = await openSession(mcp.url);
    const first = await send(mcp.url, undefined, { method: 'GET', session });
    expect([first.status, first.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const leave = new AbortController();
    const second = await send(mcp.url, undefined, { method: 'GET', session, signal: leave.signal });
    expect(second.status).toBe(200);
    expect(await messages(first)).toEqual([]);
    leave.abort();
  });

  it.each(['standalone:99999999999999999999-0', 'standalone:1-18446744073709551616'])(
    'Last-Event-ID %s, after which no event can come, is answered with 400',
    async (id) => {
      await using mcp = await startMcp();
      const session = await openSession(mcp.url);
      const answer = await send(mcp.url, undefined, { session, method: 'GET', headers: { 'Last-Event-ID': id } });
      expect(answer.status).toBe(400);
      await answer.text();
    },
  );

  it('a GET that accepts no event stream is answered with 406, and other methods with 405', async () => {
    const session = await openSession(mcp.url);
    const page = await send(mcp.url, undefined, { method: 'GET', session, headers: { Accept: 'text/html' } });
    expect(page.status).toBe(406);
    const put = await post(request(1, 'ping'), { method: 'PUT', session });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, DELETE']);
  });

  it('keep-alive comments are sent on every open stream', async () => {
    await using quick = await startMcp({ limits: { keepAlive: 0.01 } });
    const session = await openSession(quick.url);
    const listening = frames(await send(quick.url, undefined, { method: 'GET', session }));
    expect((await listening.next()).value).toBe(': keep-alive');
    const waiting = await send(quick.url, call(1, 'countdown', { from: 1, interval_ms: 5_000 }), { session });
    expect(waiting.headers.get('content-type')).toBe('text/event-stream');
    expect((await frames(waiting).next()).value).toBe(': keep-alive');
    await listening.return(undefined);
  });
});
