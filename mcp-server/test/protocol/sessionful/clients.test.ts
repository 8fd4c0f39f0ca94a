/** Proves that the clients of both SDK generations, and every revision with sessions, are served (MCP lifecycle). */

import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { defineTool } from '../../../src/protocol/define.ts';
import {
  definitions,
  frames,
  initialize,
  json,
  openSession,
  request,
  send,
  startMcp,
  type TestMcp,
} from '../../support/protocol-harness.ts';

const chatty = defineTool({
  name: 'chatty',
  title: 'Chatty',
  description: 'Says something at every level.',
  input: z.object({}),
  run: async (_, { log }) => {
    for (const level of ['debug', 'info', 'warning', 'error'] as const) await log(level, `as ${level}`);
    return { text: 'said' };
  },
});

const begun = { call: () => {} };

const endless = defineTool({
  name: 'endless',
  title: 'Endless',
  description: 'Says that it has begun, and never answers by itself.',
  input: z.object({}),
  run: async (_, { log, signal }) => {
    await log('info', 'begun');
    begun.call();
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    return { text: 'never read' };
  },
});

let mcp: TestMcp;
beforeAll(async () => {
  mcp = await startMcp({ catalog: createCatalog([...definitions, chatty, endless]) });
});
afterAll(() => mcp[Symbol.asyncDispose]());

const as = (name: string) => ({ requestInit: { headers: { Authorization: `Bearer ${name}` } } });

const transports: Readonly<Record<string, (name: string) => Transport>> = {
  'Streamable HTTP at /mcp': (name) =>
    new StreamableHTTPClientTransport(new URL(`${mcp.url}/mcp`), as(name)) as Transport,
  'Streamable HTTP at /sse': (name) =>
    new StreamableHTTPClientTransport(new URL(`${mcp.url}/sse`), as(name)) as Transport,
  'HTTP+SSE': (name) => new SSEClientTransport(new URL(`${mcp.url}/sse`), as(name)),
};

async function connect(open: (name: string) => Transport, name = 'ada'): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' }, { capabilities: { elicitation: {} } });
  await client.connect(open(name));
  return client;
}

const text = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

describe.each(Object.entries(transports))('SDK v1 client over %s', (_, open) => {
  it('a client lists the tools in order, calls one and reads its structured output', async () => {
    const client = await connect(open);
    expect(client.getServerVersion()).toMatchObject({ name: 'test', title: 'Test', version: '1.2.3' });
    const { tools: listed } = await client.listTools();
    const names = listed.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    const result = await client.callTool({ name: 'sum', arguments: { a: 0.1, b: 0.2 } });
    expect([text(result), result.structuredContent]).toEqual(['The sum of 0.1 and 0.2 is 0.3', { result: 0.3 }]);
    await client.ping();
    await client.close();
  });

  it('a client gets progress and log messages at its level, and answers an elicitation', async () => {
    const client = await connect(open);
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const asked = params as { message: string; requestedSchema: { properties: object; required: string[] } };
      expect(asked.message).toBe('Ship it?');
      expect(asked.requestedSchema).toMatchObject({ type: 'object', required: ['confirmed'] });
      return { action: 'accept', content: { confirmed: true, comment: 'gladly' } };
    });
    const progress: number[] = [];
    const onprogress = ({ progress: step }: { progress: number }) => void progress.push(step);
    await client.callTool({ name: 'countdown', arguments: { from: 3, interval_ms: 0 } }, undefined, { onprogress });
    // This client drops a notification that arrives in one chunk with the answer, as the last one may over HTTP+SSE.
    expect(progress.slice(0, 3)).toEqual([0, 1, 2]);
    const logged: string[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void logged.push(params.level));
    await client.callTool({ name: 'chatty' });
    await client.setLoggingLevel('error');
    await client.callTool({ name: 'chatty' });
    expect(logged).toEqual(['info', 'warning', 'error', 'error']);
    const result = await client.callTool({ name: 'confirm', arguments: { question: 'Ship it?' } });
    expect(result.structuredContent).toEqual({ answer: 'yes', comment: 'gladly' });
    await client.close();
  });

  it('a client never gets the answers of another session, with 200 concurrent calls in each of two', async () => {
    const [ada, bob] = await Promise.all([connect(open, 'ada'), connect(open, 'bob')]);
    const flood = (client: Client, name: string) =>
      Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const message = `${name} ${i}`;
          expect(text(await client.callTool({ name: 'echo', arguments: { message } }))).toBe(`Echo: ${message}`);
        }),
      );
    await Promise.all([flood(ada, 'ada'), flood(bob, 'bob')]);
    const who = await bob.callTool({ name: 'whoami' });
    expect(who.structuredContent).toMatchObject({ subject: 'bob' });
    await Promise.all([ada.close(), bob.close()]);
  });

  it('a client cancels a call', async () => {
    const client = await connect(open);
    const controller = new AbortController();
    const running = client.callTool({ name: 'countdown', arguments: { interval_ms: 5_000 } }, undefined, {
      signal: controller.signal,
      onprogress: () => controller.abort('enough'),
    });
    await expect(running).rejects.toThrow('enough');
    await expect.poll(() => mcp.endpoints.running()).toBe(0);
    await client.close();
  });
});

describe('SDK v2 client', () => {
  it.each(['/mcp', '/sse'])(
    'the client probes for 2026-07-28 at %s, falls back to initialize, and calls a tool',
    async (path) => {
      const client = new ModernClient({ name: 'modern', version: '0' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(new ModernTransport(new URL(`${mcp.url}${path}`), as('ada')));
      const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      expect(result.structuredContent).toEqual({ echoed_message: 'hello' });
      await client.close();
    },
  );
});

describe('MCP lifecycle: version negotiation', () => {
  it.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
    'the server agrees to revision %s',
    async (version) => {
      const { result } = await json(await send(mcp.url, initialize(version)));
      expect(result.protocolVersion).toBe(version);
    },
  );

  it('the server offers its newest revision to a client with an unknown one', async () => {
    const { result } = await json(await send(mcp.url, initialize('2099-01-01')));
    expect(result.protocolVersion).toBe('2025-11-25');
  });
});

describe('MCP 2024-11-05 basic/transports: HTTP with SSE', () => {
  const open = async (as = 'ada') => {
    const leave = new AbortController();
    const stream = await send(mcp.url, undefined, { method: 'GET', path: '/sse', as, signal: leave.signal });
    const reader = frames(stream);
    const first = (await reader.next()).value as { event: string; data: string };
    return { first, reader, leave: () => leave.abort() };
  };

  it('the stream first names the endpoint, as a path at the same origin, then sends messages', async () => {
    const { first, reader, leave } = await open();
    expect(first).toMatchObject({
      event: 'endpoint',
      data: expect.stringMatching(/^\/messages\?sessionId=[\w-]{32}$/),
    });
    const posted = await send(mcp.url, initialize('2024-11-05'), { path: first.data });
    expect([posted.status, await posted.text()]).toEqual([202, '']);
    const answer = (await reader.next()).value as { event: string; data: string };
    expect(answer.event).toBe('message');
    expect(JSON.parse(answer.data).result.protocolVersion).toBe('2024-11-05');
    leave();
  });

  it('a message for an unknown, missing or foreign session is answered with 404', async () => {
    const { first, leave } = await open();
    const session = await openSession(mcp.url);
    const paths = ['/messages', '/messages?sessionId=constructor', `/messages?sessionId=${session}`];
    for (const path of paths) expect((await send(mcp.url, request(1, 'ping'), { path })).status).toBe(404);
    expect((await send(mcp.url, request(1, 'ping'), { path: first.data, as: 'bob' })).status).toBe(404);
    const id = new URL(first.data, mcp.url).searchParams.get('sessionId') ?? '';
    expect((await send(mcp.url, request(1, 'ping'), { session: id })).status).toBe(404);
    leave();
  });

  it('an invalid message is answered with 400', async () => {
    const { first, leave } = await open();
    for (const body of [{}, [request(1, 'ping')], '3']) {
      expect((await send(mcp.url, body, { path: first.data })).status).toBe(400);
    }
    leave();
  });

  it('the session outlives a broken stream, and keeps the messages sent meanwhile', async () => {
    const { first, leave } = await open();
    await send(mcp.url, initialize('2024-11-05'), { path: first.data });
    leave();
    expect((await send(mcp.url, request(1, 'ping'), { path: first.data })).status).toBe(202);
  });
});

describe('a client whose session ends while a call runs', () => {
  const overHttp = ({ url } = mcp) => {
    const transport = new StreamableHTTPClientTransport(new URL(`${url}/mcp`));
    return { transport: transport as Transport, id: () => transport.sessionId };
  };
  const overSse = ({ url: at } = mcp) => {
    let id: string | undefined;
    const transport = new SSEClientTransport(new URL(`${at}/sse`), {
      fetch: (url, init) => {
        id = new URL(url).searchParams.get('sessionId') ?? id;
        return fetch(url, init);
      },
    });
    return { transport: transport as Transport, id: () => id };
  };

  it.each([
    ['MCP 2025-11-25 Streamable HTTP', overHttp],
    ['MCP 2024-11-05 HTTP+SSE', overSse],
  ])('%s: the call fails at once', async (_, start) => {
    const { transport, id } = start();
    const client = new Client({ name: 'test', version: '0' });
    await client.connect(transport);
    const running = new Promise<void>((resolve) => {
      begun.call = resolve;
    });
    const call = client.callTool({ name: 'endless', arguments: {} });
    const failed = expect(call).rejects.toMatchObject({
      code: -32001,
      message: expect.stringContaining('Session not found'),
    });
    await running;
    await mcp.endpoints.sessions.end(id() ?? '');
    await failed;
    await client.close();
  });

  it.each([
    ['MCP 2025-11-25 Streamable HTTP', overHttp],
    ['MCP 2024-11-05 HTTP+SSE', overSse],
  ])(
    '%s: a call whose token is revoked fails at once, also where the log takes a while, as Redis does',
    async (_, start) => {
      const state = { isRevoked: false };
      await using slow = await startMcp({
        catalog: createCatalog([endless]),
        revocations: { isRevoked: () => state.isRevoked, learn: () => undefined },
        layer: (storage) => {
          const append = storage.log.append.bind(storage.log);
          const later: typeof append = (...given) => new Promise(setImmediate).then(() => append(...given));
          return { ...storage, log: Object.assign(storage.log, { append: later }) };
        },
      });
      const client = new Client({ name: 'test', version: '0' });
      await client.connect(start(slow).transport);
      const running = new Promise<void>((resolve) => {
        begun.call = resolve;
      });
      const call = client.callTool({ name: 'endless', arguments: {} });
      const failed = expect(call).rejects.toThrow('The access token of this request was revoked');
      await running;
      state.isRevoked = true;
      // Several lists may change at once.
      await Promise.all([slow.endpoints.endRevoked(), slow.endpoints.endRevoked()]);
      await failed;
      await client.close();
    },
  );
});
