/**
 * Proves that the events kept for a reconnecting client are bounded, and are dropped as soon as the client has them.
 */
import { Agent, request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { call } from '../support/protocol-harness.ts';
import { type LimitedServer, messagesOf, ping, say, startLimited } from './server.ts';

describe('MCP 2025-11-25 "Resumability and Redelivery"', () => {
  /** A client with one connection. */
  const oneConnection = async (server: LimitedServer, session: string) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const authorization = await server.authorization();
    const ask = (method: 'GET' | 'POST', headers: Readonly<Record<string, string>>, message?: unknown) =>
      new Promise<{ readonly status: number; readonly body: Promise<string> }>((resolve, reject) => {
        const all = { authorization, 'mcp-session-id': session, ...headers };
        const outgoing = send(`${server.url}/mcp`, { agent, method, headers: all }, (answer) => {
          // Does not wait for the end of a stream that goes on.
          const body = method === 'GET' && answer.statusCode === 200 ? Promise.resolve('') : text(answer);
          resolve({ status: answer.statusCode ?? 0, body });
        });
        outgoing.on('error', reject).end(message && JSON.stringify(message));
      });
    const stream = async (headers: Readonly<Record<string, string>> = {}): Promise<string> => {
      const accept = { accept: 'text/event-stream', 'content-type': 'application/json' };
      const answer = await ask('POST', { ...accept, ...headers }, say(1, 10));
      const ids = [...(await answer.body).matchAll(/^id: (\S+)$/gm)].map(([, id = '']) => id);
      return ids[0] ?? '';
    };
    const comeBack = async (id: string) =>
      (await ask('GET', { accept: 'text/event-stream', 'last-event-id': id })).status;
    return { stream, comeBack, [Symbol.dispose]: () => agent.destroy() };
  };

  it("a stream is dropped when the client's next request on the same connection shows that it was read", async () => {
    await using server = await startLimited();
    const session = await server.open('2025-11-25');
    using client = await oneConnection(server, session);
    expect(await client.comeBack(await client.stream())).toBe(400);
  });

  it.each(['x-forwarded-for', 'via', 'forwarded'])(
    'a stream is kept behind a proxy, recognized by %s, because its connection shows nothing',
    async (header) => {
      await using server = await startLimited();
      const session = await server.open('2025-11-25');
      using client = await oneConnection(server, session);
      expect(await client.comeBack(await client.stream({ [header]: '192.0.2.1' }))).toBe(200);
    },
  );

  it('a stream is kept for a client that returns on another connection', async () => {
    await using server = await startLimited();
    const session = await server.open('2025-11-25');
    using client = await oneConnection(server, session);
    using other = await oneConnection(server, session);
    expect(await other.comeBack(await client.stream())).toBe(200);
  });
});

describe('the storage of unread answers', () => {
  it('unread answers are kept as far as the session has room; the client finds a limit error for others (MCP 2024-11-05)', async () => {
    await using server = await startLimited({ MAX_ANSWER_BYTES: '65536', MAX_STORED_BYTES_PER_SESSION: '131072' });
    const open = async (lastEventId?: string) => {
      const headers = { accept: 'text/event-stream', ...(lastEventId && { 'last-event-id': lastEventId }) };
      const stream = await server.ask('/sse', { headers });
      const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
      let read = '';
      const until = async (words: string): Promise<string> => {
        while (!read.includes(words)) read += (await reader?.read())?.value ?? '';
        return read;
      };
      return { until, leave: () => reader?.cancel() };
    };
    const first = await open();
    const [, path = ''] = /data: (\S+)/.exec(await first.until('sessionId=')) ?? [];
    const post = async (message: object) => {
      const headers = { 'content-type': 'application/json' };
      expect((await server.ask(path, { method: 'POST', headers, body: JSON.stringify(message) })).status).toBe(202);
    };
    const params = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    await post({ ...ping(0), method: 'initialize', params });
    const [id = ''] = [...(await first.until('"id":0')).matchAll(/^id: (\S+)$/gm)]
      .map(([, one]) => one ?? '')
      .slice(-1);
    await first.leave();
    await expect.poll(() => server.metric('mcp_streams')).toBe(0);
    for (let n = 1; n <= 4; n += 1) await post(say(n, 50_000));
    await post(call(5, 'say', { characters: 1 }));
    await expect.poll(async () => (await server.reached()).MAX_STORED_BYTES_PER_SESSION).toBe(2);
    const second = await open(id);
    const messages = messagesOf(await second.until('"id":5'));
    expect(messages.map((message) => [message.id, message.error?.data])).toEqual([
      [1, undefined],
      [2, undefined],
      [3, { limit: 'MAX_STORED_BYTES_PER_SESSION', most: 131_072 }],
      [4, { limit: 'MAX_STORED_BYTES_PER_SESSION', most: 131_072 }],
      [5, undefined],
    ]);
    await second.leave();
  });
});
