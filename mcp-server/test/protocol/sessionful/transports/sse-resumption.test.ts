/** Proves that a session over HTTP+SSE survives its stream: who may resume it, and with what (WHATWG HTML §9.2.4). */
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type Frame,
  frames,
  initialize,
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
// No limit is shared between tests: each test has its own people.
beforeEach(() => mcp.clock.advance(120));

interface Stream {
  /** The session id in its endpoint event. */
  readonly path: string;
  readonly id: string;
  next(): Promise<Frame | undefined>;
  post(message: object): Promise<number>;
  leave(): void;
}

async function open({ as = 'ada', ...headers }: { as?: string } & Record<string, string> = {}): Promise<Stream> {
  const leaving = new AbortController();
  const response = await send(mcp.url, undefined, { method: 'GET', path: '/sse', as, headers, signal: leaving.signal });
  expect(response.status).toBe(200);
  const reader = frames(response);
  const next = async () => (await reader.next()).value as Frame | undefined;
  const endpoint = await next();
  expect(endpoint?.event).toBe('endpoint');
  const { data: path = '', id = '' } = endpoint ?? {};
  const post = async (message: object) => (await send(mcp.url, message, { path, as })).status;
  return { path, id, next, post, leave: () => leaving.abort() };
}

/** As the official SDK does after `initialize`: it sends the negotiated protocol version from then on. */
async function initialized(as = 'ada'): Promise<Stream> {
  const stream = await open({ as });
  await stream.post(initialize('2025-11-25', { elicitation: {} }));
  await stream.next();
  return stream;
}

const back = { 'mcp-protocol-version': '2025-11-25' };

const idOf = (frame: Frame | undefined): unknown => frame && JSON.parse(frame.data).id;

// So that `gone` counts only its own stream.
afterEach(() => expect.poll(() => mcp.endpoints.open()).toBe(0));

/** Disconnects, and waits until the server has noticed. */
async function gone(stream: Stream): Promise<void> {
  const before = mcp.endpoints.open();
  stream.leave();
  await expect.poll(() => mcp.endpoints.open()).toBe(before - 1);
}

describe('an HTTP+SSE client that returns with Last-Event-ID', () => {
  it('a returning client gets the same session, and every missed message once', async () => {
    const stream = await initialized();
    await stream.post(request(1, 'ping'));
    const seen = await stream.next();
    await stream.post(request(2, 'ping'));
    await stream.next();
    await gone(stream);
    expect(await stream.post(request(3, 'ping'))).toBe(202);
    // As if the second answer had been lost on its way.
    const again = await open({ 'last-event-id': seen?.id ?? '' });
    expect(again.path).toBe(stream.path);
    await again.post(request(4, 'ping'));
    expect([idOf(await again.next()), idOf(await again.next()), idOf(await again.next())]).toEqual([2, 3, 4]);
    again.leave();
  });

  it('a client that left before initialize gets a new session', async () => {
    const stream = await open();
    await gone(stream);
    await expect.poll(() => stream.post(request(1, 'ping'))).toBe(404);
    const again = await open({ 'last-event-id': stream.id });
    expect(again.path).not.toBe(stream.path);
    again.leave();
  });

  it('an initialize for a session that has just ended is answered with 404', async () => {
    const stream = await open();
    // The session ends while the message is being checked.
    const alter = vi.spyOn(mcp.endpoints.sessions, 'alter').mockResolvedValueOnce(false);
    expect(await stream.post(initialize('2025-11-25'))).toBe(404);
    alter.mockRestore();
    stream.leave();
  });

  it('a returning client takes the stream over from its old connection', async () => {
    const stream = await initialized();
    const again = await open({ 'last-event-id': stream.id });
    expect(again.path).toBe(stream.path);
    expect(await stream.next()).toBeUndefined();
    again.leave();
  });

  it('an unknown or foreign Last-Event-ID gets a new session, and a foreign one is logged', async () => {
    const stream = await initialized('bob');
    const streamable = await openSession(mcp.url);
    const ids = [
      'x',
      `${'x'.repeat(32)}:1-0`,
      `${streamable}:1-0`,
      '1'.repeat(10_000),
      // The id of a session may contain digits and dashes.
      stream.id.replace(/:\d+-/, ':9-'),
    ];
    for (const id of ids) {
      const other = await open({ 'last-event-id': id });
      expect(other.path).not.toBe(stream.path);
      other.leave();
    }
    const warned = mcp.lines.filter((line) => line.includes('session of another owner refused'));
    expect(warned.map((line) => JSON.parse(line))).toMatchObject([{ security: true, subject: 'ada' }]);
    stream.leave();
  });

  it('a client whose session has ended gets a new one', async () => {
    const stream = await initialized();
    await mcp.endpoints.sessions.end(new URL(stream.path, mcp.url).searchParams.get('sessionId') ?? '');
    const again = await open({ 'last-event-id': stream.id });
    expect(again.path).not.toBe(stream.path);
    expect(await again.post(initialize('2024-11-05'))).toBe(202);
    expect(idOf(await again.next())).toBe('init');
    again.leave();
  });
});

describe('an HTTP+SSE client that returns with only the agreed revision', () => {
  it('a returning client gets its only possible session, and the undelivered messages', async () => {
    const stream = await initialized();
    await gone(stream);
    await stream.post(request(1, 'ping'));
    const again = await open(back);
    expect([again.path, idOf(await again.next())]).toEqual([stream.path, 1]);
    again.leave();
  });

  it('a new session is given at the first start, to another client, and where the stream is in use', async () => {
    const [held, left] = [await initialized('bob'), await initialized('ada-elsewhere')];
    await gone(left);
    for (const headers of [{ as: 'bob', ...back }, back, { as: 'ada-elsewhere' }]) {
      const other = await open(headers);
      expect([held.path, left.path]).not.toContain(other.path);
      other.leave();
    }
    held.leave();
  });

  it('a client with two possible sessions gets a new one that knows the agreed revision', async () => {
    const [one, other] = [await initialized(), await initialized()];
    await gone(one);
    await gone(other);
    await one.post(request(1, 'ping'));
    const again = await open(back);
    expect([one.path, other.path]).not.toContain(again.path);
    await knowsWhatWasAgreed(again);
  });

  it('a client whose dead stream is still considered open gets a new session that knows the agreed revision', async () => {
    const dead = await initialized();
    const again = await open(back);
    expect(again.path).not.toBe(dead.path);
    await knowsWhatWasAgreed(again);
    dead.leave();
  });

  /** The client declares at `initialize` that it can be asked. */
  async function knowsWhatWasAgreed(stream: Stream): Promise<void> {
    await stream.post(request(2, 'tools/call', { name: 'confirm', arguments: { question: 'Sure?' } }));
    expect(JSON.parse((await stream.next())?.data ?? '')).toMatchObject({ method: 'elicitation/create' });
    stream.leave();
  }
});

it('SDK v1 keeps its session while the server drains, also with several sessions of one person', async () => {
  await using leaving = await startMcp();
  const windows = await Promise.all(Array.from({ length: 3 }, () => openWindow(leaving.url)));
  const before = windows.map(({ session }) => session());
  leaving.endpoints.drain();
  await Promise.all(windows.map((window) => window.returned()));
  await Promise.all(windows.map(({ client }) => client.ping()));
  expect(windows.map(({ session }) => session())).toEqual(before);
  await Promise.all(windows.map(({ client }) => client.close()));
});

/** A client whose session and reconnects are visible. */
async function openWindow(url: string) {
  const client = new Client({ name: 'window', version: '0' });
  const returns = new EventTarget();
  let session: string | null = null;
  const transport = new SSEClientTransport(new URL(`${url}/sse`), {
    requestInit: { headers: { authorization: 'Bearer ada' } },
    fetch: async (to, init) => {
      session = new URL(to).searchParams.get('sessionId') ?? session;
      const response = await fetch(to, init);
      if (init?.method !== 'POST') returns.dispatchEvent(new Event('return'));
      return response;
    },
  });
  await client.connect(transport);
  return { client, session: () => session, returned: () => once(returns, 'return') };
}

it('SDK v1 keeps its session when its stream ends', async () => {
  await using leaving = await startMcp();
  const client = new Client({ name: 'test', version: '0' });
  const headers = { authorization: 'Bearer ada' };
  const transport = new SSEClientTransport(new URL(`${leaving.url}/sse`), { requestInit: { headers } });
  await client.connect(transport);
  const before = await leaving.endpoints.sessions.count();
  const ended = new EventTarget();
  transport.onerror = () => void ended.dispatchEvent(new Event('end'));
  const end = once(ended, 'end');
  const opened = leaving.endpoints.drain();
  expect(opened.leaving).toBe(1);
  await end;
  // The client waits for the answer until its stream is open again.
  await client.ping();
  expect(await leaving.endpoints.sessions.count()).toBe(before);
  await client.close();
});
