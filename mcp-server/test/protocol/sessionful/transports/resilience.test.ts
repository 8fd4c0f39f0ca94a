/** Proves that clients which disconnect, stall, stay too long or flood do no harm (MCP 2025-11-25 basic/transports). */

import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../../../src/protocol/catalog/catalog.ts';
import { defineTool } from '../../../../src/protocol/define.ts';
import { StorageUnavailable } from '../../../../src/sessions/ports.ts';
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

/** A tool that sends one message and then waits until the test opens the gate. */
function gated() {
  const gate = Promise.withResolvers<void>();
  const done = Promise.withResolvers<boolean>();
  const tool = defineTool({
    name: 'gated',
    title: 'Gated',
    description: 'Waits for the test.',
    input: z.object({}),
    run: async (_, { progress, signal }) => {
      await progress(0);
      await gate.promise;
      await progress(1);
      done.resolve(signal.aborted);
      return { text: 'done' };
    },
  });
  return { catalog: createCatalog([tool]), open: gate.resolve, done: done.promise };
}

function silent() {
  const gate = Promise.withResolvers<void>();
  const tool = defineTool({
    name: 'silent',
    title: 'Silent',
    description: 'Waits for the test and says nothing.',
    input: z.object({}),
    run: async () => {
      await gate.promise;
      return { text: 'at last' };
    },
  });
  return { tool, open: gate.resolve };
}

const gatedCall = call(1, 'gated', {}, { _meta: { progressToken: 1 } });
const running = ({ endpoints }: TestMcp) => endpoints.running();

describe('disconnection', () => {
  it('a disconnection does not cancel the call (basic/transports: SHOULD NOT be interpreted as cancelling), and leaks nothing', async () => {
    const { catalog, open, done } = gated();
    await using mcp = await startMcp({ catalog });
    const session = await openSession(mcp.url);
    const leave = new AbortController();
    await send(mcp.url, gatedCall, { session, signal: leave.signal });
    leave.abort();
    await expect.poll(() => running(mcp)).toBe(1);
    open();
    expect(await done).toBe(false);
    await expect.poll(() => running(mcp)).toBe(0);
    expect((await send(mcp.url, request(1, 'ping'), { session })).status).toBe(200);
  });

  it('a reader that is too far behind is disconnected, and the call finishes', async () => {
    const finished = Promise.withResolvers<void>();
    const flood = defineTool({
      name: 'flood',
      title: 'Flood',
      description: 'Says very much.',
      input: z.object({}),
      run: async (_, { log }) => {
        for (let i = 0; i < 400; i += 1) await log('error', 'x'.repeat(65_536));
        finished.resolve();
        return { text: 'done' };
      },
    });
    await using mcp = await startMcp({ catalog: createCatalog([flood]) });
    const session = await openSession(mcp.url);
    const body = JSON.stringify(call(1, 'flood'));
    const socket = connect(Number(new URL(mcp.url).port), '127.0.0.1').pause();
    const headers = [
      `Host: x`,
      `Mcp-Session-Id: ${session}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
    ];
    socket.on('error', () => {});
    socket.write(`POST /mcp HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`);
    await finished.promise;
    await expect.poll(() => running(mcp)).toBe(0);
    let received = 0;
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (chunk) => {
      received += chunk.length;
    });
    socket.resume();
    await closed;
    expect(received).toBeLessThan(400 * 65_536);
  });
});

describe('a storage that is lost while a stream is opened', () => {
  it.each([
    ['Streamable HTTP', '/mcp'],
    ['MCP 2024-11-05 HTTP+SSE', '/sse'],
  ])(
    'the stream is closed, so that the client opens it again, and the outage is no error of ours: %s',
    async (_, path) => {
      const away = () => Promise.reject(new StorageUnavailable('away'));
      await using mcp = await startMcp({
        layer: (storage) => ({
          ...storage,
          changes: { ...storage.changes, since: away },
        }),
      });
      const session = path === '/mcp' ? { session: await openSession(mcp.url) } : {};
      const stream = await send(mcp.url, undefined, { ...session, method: 'GET', path });
      expect(stream.status).toBe(200);
      await expect(stream.text()).rejects.toThrow();
      const logged = mcp.lines.map((line) => JSON.parse(line));
      expect(logged).toContainEqual(
        expect.objectContaining({ level: 'warn', msg: 'session storage unavailable', reason: 'away' }),
      );
      expect(logged.filter(({ level }) => level === 'error')).toEqual([]);
    },
  );
});

describe('results that cannot be written as JSON', () => {
  const cyclic = () => {
    const part: Record<string, unknown> = { type: 'text', text: 'x' };
    part.self = part;
    return { content: [part] } as never;
  };
  const tool = defineTool({
    name: 'cyclic',
    title: 'Cyclic',
    description: 'Gives what nobody can write.',
    input: z.object({ say: z.boolean().default(false) }),
    run: async ({ say }, { log }) => {
      if (say) await log('error', 'first');
      return cyclic();
    },
  });

  it.each([false, true])(
    'an unserializable result is answered as a fault of the tool (as a stream: %s)',
    async (say) => {
      await using mcp = await startMcp({ catalog: createCatalog([tool]) });
      const session = await openSession(mcp.url);
      const text = await (await send(mcp.url, call(1, 'cyclic', { say }), { session })).text();
      expect(text).toMatch(
        /cyclic failed because of a fault in this server: content\[0\] can't be written as JSON.*"isError":true/,
      );
      expect(running(mcp)).toBe(0);
    },
  );
});

describe('memory', () => {
  it('a subscription with an overlong URI is refused', async () => {
    await using mcp = await startMcp();
    const session = await openSession(mcp.url);
    const follow = async (uri: string) =>
      (await send(mcp.url, request(1, 'resources/subscribe', { uri }), { session })).text();
    expect(await follow(`test:${'x'.repeat(2_043)}`)).toContain('"result":{}');
    expect(await follow(`test:${'x'.repeat(2_044)}`)).toContain('"code":-32602');
  });

  it('a session keeps nothing of 2,000 finished calls (unlike SDK issue 2559)', async () => {
    const { catalog } = gated();
    await using mcp = await startMcp({ catalog });
    const session = await openSession(mcp.url);
    for (let batch = 0; batch < 20; batch += 1) {
      const calls = Array.from({ length: 100 }, (_, i) => send(mcp.url, request(batch * 100 + i, 'ping'), { session }));
      for (const response of await Promise.all(calls)) expect((await json(response)).result).toEqual({});
    }
    expect(running(mcp)).toBe(0);
    expect(mcp.endpoints.open()).toBe(0);
  });
});

describe('expiry of tokens and sessions', () => {
  it("streams are closed within a minute after the owner's newest token expired, and the session stays", async () => {
    await using mcp = await startMcp({ limits: { idleTimeout: 86_400 } });
    const session = await openSession(mcp.url);
    const listening = frames(await send(mcp.url, undefined, { method: 'GET', session }));
    mcp.clock.advance(3_600 + 36);
    await mcp.endpoints.tick();
    expect((await listening.next()).value).toBe(': keep-alive');
    mcp.clock.advance(1);
    await mcp.endpoints.tick();
    expect((await listening.next()).done).toBe(true);
    expect((await send(mcp.url, request(1, 'ping'), { session, as: 'ada-later' })).status).toBe(200);
  });

  it('a stream stays open for an owner who has shown a newer token', async () => {
    await using mcp = await startMcp({ limits: { idleTimeout: 86_400 } });
    const session = await openSession(mcp.url);
    const listening = frames(await send(mcp.url, undefined, { method: 'GET', session }));
    await send(mcp.url, request(1, 'ping'), { session, as: 'ada-later' });
    mcp.clock.advance(3_600 + 120);
    await mcp.endpoints.tick();
    expect((await listening.next()).value).toBe(': keep-alive');
  });

  it('an idle session ends, unless it has an open stream', async () => {
    await using mcp = await startMcp({ limits: { idleTimeout: 60 } });
    const idle = await openSession(mcp.url);
    const listening = await openSession(mcp.url);
    await send(mcp.url, undefined, { method: 'GET', session: listening });
    mcp.clock.advance(60);
    await mcp.endpoints.tick();
    expect((await send(mcp.url, request(1, 'ping'), { session: idle })).status).toBe(404);
    expect((await send(mcp.url, request(1, 'ping'), { session: listening })).status).toBe(200);
  });
});

describe('a call without notifications', () => {
  it.each([
    ['becomes a stream that gives signs of life', 'application/json, text/event-stream', 'text/event-stream'],
    ['stays silent for a client that takes no stream', 'application/json', 'application/json'],
  ])('a call without notifications %s', async (_, accept, type) => {
    const { tool, open } = silent();
    await using mcp = await startMcp({ catalog: createCatalog([tool]) });
    const session = await openSession(mcp.url);
    const answer = send(mcp.url, call(1, 'silent'), { session, headers: { Accept: accept } });
    await expect.poll(() => running(mcp)).toBe(1);
    for (let look = 0; look < 3; look += 1) await mcp.endpoints.tick();
    if (type === 'application/json') open();
    const response = await answer;
    expect(response.headers.get('content-type')).toBe(type);
    open();
    expect(await response.text()).toContain('at last');
  });
});

describe('limits of sessions', () => {
  it("a new session replaces the person's longest idle one", async () => {
    await using mcp = await startMcp({ limits: { maxSessionsPerPrincipal: 2 } });
    const first = await openSession(mcp.url);
    mcp.clock.advance(1);
    const second = await openSession(mcp.url, 'ada-elsewhere');
    mcp.clock.advance(1);
    await send(mcp.url, request(1, 'ping'), { session: first });
    await openSession(mcp.url);
    expect((await send(mcp.url, request(1, 'ping'), { session: first })).status).toBe(200);
    expect((await send(mcp.url, request(1, 'ping'), { session: second, as: 'ada-elsewhere' })).status).toBe(404);
  });

  it("RFC 6585 §4 a new session is refused with 429 when all of the person's are in use, and others are not affected", async () => {
    await using mcp = await startMcp({ limits: { maxSessionsPerPrincipal: 1 } });
    await send(mcp.url, undefined, { method: 'GET', session: await openSession(mcp.url) });
    const refused = await send(mcp.url, initialize());
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    await openSession(mcp.url, 'bob');
  });

  it('a new session is refused with 503 when the server is full, over both transports', async () => {
    await using mcp = await startMcp({ limits: { maxSessions: 1 } });
    await openSession(mcp.url);
    const refused = await send(mcp.url, initialize(), { as: 'bob' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10']);
    expect((await send(mcp.url, undefined, { method: 'GET', path: '/sse', as: 'bob' })).status).toBe(503);
  });
});

describe('draining the server', () => {
  it('a draining server ends its streams, serves other requests, and lets a running call finish', async () => {
    const { catalog, open } = gated();
    await using mcp = await startMcp({ catalog });
    const session = await openSession(mcp.url);
    const listening = await send(mcp.url, undefined, { method: 'GET', session });
    const sse = await send(mcp.url, undefined, { method: 'GET', path: '/sse' });
    const call = await send(mcp.url, gatedCall, { session });
    expect(mcp.endpoints.drain()).toEqual({ running: 1, leaving: 2 });
    expect(await messages(listening)).toEqual([]);
    expect(await sse.text()).toContain('event: endpoint');
    const late = await openSession(mcp.url);
    expect(await messages(await send(mcp.url, undefined, { method: 'GET', session: late }))).toEqual([]);
    expect(await (await send(mcp.url, undefined, { method: 'GET', path: '/sse' })).text()).toContain('event: endpoint');
    open();
    expect((await messages(call)).at(-1)).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });
  });

  it('MCP 2024-11-05: a stream with a running call ends after its answer', async () => {
    const { catalog, open } = gated();
    await using mcp = await startMcp({ catalog });
    const reader = frames(await send(mcp.url, undefined, { method: 'GET', path: '/sse' }));
    const { data: path } = (await reader.next()).value as { data: string };
    await send(mcp.url, gatedCall, { path });
    await reader.next();
    mcp.endpoints.drain();
    open();
    const rest = [];
    for await (const frame of reader) if (typeof frame !== 'string') rest.push(JSON.parse(frame.data));
    expect(rest.at(-1)).toMatchObject({ id: 1, result: {} });
  });
});
