/**
 * Proves that one request uses bounded resources: messages, values and bytes of the request and of its answer
 * (CWE-770).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOTH, JSON_ONLY, type LimitedServer, messagesOf, ping, say, startLimited, wait } from './server.ts';

let server: LimitedServer;
beforeAll(async () => {
  server = await startLimited({ MAX_MESSAGE_ELEMENTS: '2000', MAX_ANSWER_BYTES: '1000000' });
});
afterAll(() => server[Symbol.asyncDispose]());

const numbered = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n + 1));

describe('JSON-RPC 2.0 §6 a batch', () => {
  it('a batch may have a hundred messages, and a larger one runs none of them (RFC 9110 §15.5.14)', async () => {
    const session = await server.open('2025-03-26');
    const taken = await server.post(session, numbered(100, ping));
    expect(messagesOf(await taken.text())).toHaveLength(100);
    const refused = await server.post(session, numbered(101, ping));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({
      id: null,
      error: { code: -32600, data: { limit: 'MAX_BATCH_MESSAGES', most: 100 } },
    });
    expect(await server.reached()).toMatchObject({ MAX_BATCH_MESSAGES: 1 });
  });

  it('a notification in a batch counts towards the limit, although it has no answer', async () => {
    const session = await server.open('2025-03-26');
    const notes = numbered(101, () => ({ jsonrpc: '2.0', method: 'notifications/initialized' }));
    expect((await server.post(session, notes)).status).toBe(413);
  });

  it.each([
    ['JSON', JSON_ONLY],
    ['JSON or a stream', BOTH],
  ])('the answers of a batch are sent while other calls still run, to a client that accepts %s', async (_, accept) => {
    await using gated = await startLimited();
    const session = await gated.open('2025-03-26');
    const batch = [...numbered(20, (n) => say(n, 50_000)), wait('late')];
    const answer = await gated.post(session, batch, accept);
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('"id":20')) text += (await reader?.read())?.value ?? '';
    expect(text).not.toContain('"id":"late"');
    gated.openGate();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) text += part.value;
    const messages = messagesOf(text);
    expect(messages.map(({ id }) => id)).toEqual([...numbered(20, (n) => n), 'late']);
    expect(messages.every(({ result }) => result?.content?.[0]?.text)).toBe(true);
  });

  it.each([
    ['JSON', JSON_ONLY],
    ['JSON or a stream', BOTH],
  ])(
    'the answers of a batch may exceed the limit of unread bytes if the client reads along, accepting %s',
    async (_, accept) => {
      await using small = await startLimited({ MAX_BYTES_PER_PRINCIPAL: '4000000' });
      const session = await small.open('2025-03-26');
      for (const later of [false, true]) {
        const answer = await small.post(
          session,
          numbered(100, (n) => say(n, 100_000, later)),
          accept,
        );
        const messages = messagesOf(await answer.text());
        expect(messages).toHaveLength(100);
        expect(messages.filter(({ error }) => error)).toEqual([]);
      }
      expect(await small.reached()).toEqual({});
    },
  );

  it('the answers of a batch arrive whole as a stream, though a few of them exceed what may wait for a reader', async () => {
    await using large = await startLimited();
    const session = await large.open('2025-03-26');
    const answer = await large.post(
      session,
      numbered(40, (n) => say(n, 300_000)),
    );
    expect(messagesOf(await answer.text()).map(({ id, error }) => error ?? id)).toEqual(numbered(40, (n) => n));
  });

  it('a batched request that has not begun can be cancelled (MCP cancellation)', async () => {
    await using gated = await startLimited();
    const session = await gated.open('2025-03-26');
    const answer = gated.post(session, [...numbered(16, wait), ping('queued')], JSON_ONLY);
    await expect.poll(() => gated.metric('mcp_running_requests')).toBe(17);
    const repeated = await gated.post(session, ping('queued'));
    expect(await repeated.json()).toMatchObject({ error: { message: expect.stringContaining('still running') } });
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'queued' } };
    await gated.post(session, cancelled);
    gated.openGate();
    expect(messagesOf(await (await answer).text()).map(({ id }) => id)).toEqual(numbered(16, (n) => n));
    await expect.poll(() => gated.metric('mcp_running_requests')).toBe(0);
  });
});

describe('JSON-RPC 2.0 §5.1 a message', () => {
  const nested = (values: number) => ({ ...ping(7), params: { list: numbered(values, () => ({})) } });

  it('a message has a limit of values, and a larger one is refused with its id and the limit', async () => {
    const session = await server.open('2025-11-25');
    expect((await server.post(session, nested(1_990))).status).toBe(200);
    for (const message of [nested(2_000), { ...ping(7), params: Object.fromEntries(numbered(2_000, (n) => [n, 1])) }]) {
      const refused = await server.post(session, message);
      expect(refused.status).toBe(413);
      expect(await refused.json()).toMatchObject({
        id: 7,
        error: { code: -32600, data: { limit: 'MAX_MESSAGE_ELEMENTS', most: 2_000 } },
      });
    }
    expect((await server.reached()).MAX_MESSAGE_ELEMENTS).toBe(2);
  });

  it.each(['id', 'progressToken'])('a message with an overlong %s is refused', async (where) => {
    const long = 'x'.repeat(1_025);
    const message = where === 'id' ? ping(long) : { ...ping(1), params: { _meta: { progressToken: long } } };
    const session = await server.open('2025-11-25');
    expect((await server.post(session, message)).status).toBe(400);
  });
});

describe('JSON-RPC 2.0 §5 a response', () => {
  const tooLarge = { code: -32603, data: { limit: 'MAX_ANSWER_BYTES', most: 1_000_000 } };

  it.each(['2025-03-26', '2025-11-25'])(
    'a response of %s that is too large is an error with the id and the limit',
    async (revision) => {
      const session = await server.open(revision);
      for (const later of [false, true]) {
        const answer = await server.post(session, say(1, 1_000_000, later));
        expect(messagesOf(await answer.text())).toEqual([
          { jsonrpc: '2.0', id: 1, error: { ...tooLarge, message: expect.any(String) } },
        ]);
      }
      expect(messagesOf(await (await server.post(session, say(2, 900_000))).text())[0]?.error).toBeUndefined();
    },
  );

  it('a response of 2026-07-28 that is too large is the same error', async () => {
    for (const later of [false, true]) {
      const [answer] = messagesOf(await (await server.modern('say', { characters: 1_000_000, later })).text());
      expect(answer?.error).toMatchObject(tooLarge);
    }
  });

  it('a response of 2024-11-05 that is too large is the same error', async () => {
    const stream = await server.ask('/sse', { headers: { accept: 'text/event-stream' } });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const until = async (words: string) => {
      while (!text.includes(words)) text += (await reader?.read())?.value ?? '';
    };
    await until('sessionId=');
    const [, path = ''] = /data: (\S+)/.exec(text) ?? [];
    const post = (message: object) =>
      server.ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message),
      });
    await post({
      ...ping(0),
      method: 'initialize',
      params: { protocolVersion: '2024-11-05', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
    });
    await until('"id":0');
    expect((await post(say(1, 1_000_000))).status).toBe(202);
    await until('"id":1');
    expect(messagesOf(text).at(-1)?.error).toMatchObject(tooLarge);
    await reader?.cancel();
  });
});
