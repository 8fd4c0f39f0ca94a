/**
 * Proves that one person uses bounded resources, whatever clients, sessions and revisions of MCP they use (CWE-770).
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { headersOf, request as modernRequest } from '../support/stateless-harness.ts';
import { BOTH, JSON_ONLY, messagesOf, ping, startLimited, wait } from './server.ts';

const running = 'mcp_running_requests';
const limitOf = async (refused: Response) => {
  const { id, error } = (await refused.json()) as { id: unknown; error: { code: number; data: { limit: string } } };
  return { status: refused.status, retry: refused.headers.get('retry-after'), id, ...error.data };
};

describe('RFC 6585 §4 limits of concurrent requests', () => {
  it('a session has a limit of concurrent requests: one more is refused with its id, the limit and Retry-After', async () => {
    await using server = await startLimited({ MAX_CALLS_PER_SESSION: '2' });
    const [session, other] = [await server.open('2025-11-25'), await server.open('2025-11-25')];
    const calls = ['a', 'b'].map((id) => server.post(session, wait(id)));
    await expect.poll(() => server.metric(running)).toBe(2);
    const expected = { status: 429, retry: '5', id: 'c', limit: 'MAX_CALLS_PER_SESSION', most: 2 };
    expect(await limitOf(await server.post(session, wait('c')))).toEqual(expected);
    expect((await server.post(session, ping('p'))).status, 'a ping is always answered').toBe(200);
    calls.push(server.post(other, wait('d')));
    await expect.poll(() => server.metric(running)).toBe(3);
    server.openGate();
    for (const answer of await Promise.all(calls)) expect(await answer.text()).toContain('open');
    expect(await (await server.post(session, wait('c'))).text()).toContain('open');
    expect(await server.reached()).toEqual({ MAX_CALLS_PER_SESSION: 1 });
  });

  it("a person has a limit of concurrent requests over all sessions and revisions, separate from other people's", async () => {
    await using server = await startLimited({ MAX_CALLS_PER_PRINCIPAL: '3' });
    const sessions = [await server.open('2025-11-25'), await server.open('2025-03-26')] as const;
    const calls = [...sessions.map((session) => server.post(session, wait(1))), server.modern('wait')];
    await expect.poll(() => server.metric(running)).toBe(3);
    const expected = { status: 429, limit: 'MAX_CALLS_PER_PRINCIPAL', most: 3 };
    expect(await limitOf(await server.post(sessions[0], wait(2)))).toMatchObject({ ...expected, id: 2, retry: '5' });
    expect(await limitOf(await server.modern('wait'))).toMatchObject({ ...expected, retry: expect.any(String) });
    const bob = server.modern('wait', {}, 'bob');
    await expect.poll(() => server.metric(running)).toBe(4);
    server.openGate();
    for (const answer of await Promise.all([...calls, bob])) expect(await answer.text()).toContain('open');
    expect(await (await server.modern('wait')).text()).toContain('open');
  });

  it('batch messages beyond the limit are answered with the limit, and the others run', async () => {
    await using server = await startLimited({ MAX_CALLS_PER_SESSION: '3' });
    const session = await server.open('2025-03-26');
    const batch = ['a', 'b', 'c', 'd'].map(wait);
    const answer = server.post(session, batch, JSON_ONLY);
    await expect.poll(() => server.metric(running)).toBe(3);
    server.openGate();
    const messages = messagesOf(await (await answer).text());
    expect(messages.filter(({ result }) => result).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(messages.find(({ id }) => id === 'd')?.error).toMatchObject({
      code: -32000,
      data: { limit: 'MAX_CALLS_PER_SESSION', most: 3 },
    });
  });

  it('a POST beyond the limit over HTTP+SSE (MCP 2024-11-05) is refused before it is accepted', async () => {
    await using server = await startLimited({ MAX_CALLS_PER_SESSION: '1' });
    const stream = await server.ask('/sse', { headers: { accept: 'text/event-stream' } });
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    const [, path = ''] = /data: (\S+)/.exec((await reader?.read())?.value ?? '') ?? [];
    const post = (message: object) =>
      server.ask(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message),
      });
    expect((await post(wait(1))).status).toBe(202);
    expect(await limitOf(await post(wait(2)))).toMatchObject({ status: 429, id: 2, limit: 'MAX_CALLS_PER_SESSION' });
    await reader?.cancel();
  });
});

describe('RFC 6585 §4 limits of sessions', () => {
  it('ten people cannot fill the server with their sessions, with the default limit or a smaller one', async () => {
    await using server = await startLimited({ MAX_SESSIONS: '40' });
    const open = (subject: string) =>
      server.ask('/sse', { headers: { accept: 'text/event-stream' } }, subject).then(async (answer) => {
        // An open stream keeps its session in use.
        const reader = answer.status === 200 ? answer.body?.getReader() : undefined;
        await reader?.read();
        return { status: answer.status, reader, answer };
      });
    const opened = [];
    for (let person = 0; person < 10; person += 1) {
      for (let n = 0; n < 3; n += 1) opened.push(await open(`person-${person}`));
    }
    expect(opened.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => [200, 200, 429]).flat());
    const [, , refused] = opened;
    expect(await limitOf(refused?.answer as Response)).toMatchObject({
      retry: '30',
      limit: 'MAX_SESSIONS_PER_PRINCIPAL',
      most: 2,
    });
    const stranger = await open('somebody else');
    expect(stranger.status).toBe(200);
    for (const { reader } of [...opened, stranger]) await reader?.cancel();
  });
});

describe('RFC 6585 §4 limits of subscriptions of MCP 2026-07-28', () => {
  it('a person has a limit of subscriptions, and each subscription has a limit of resources', async () => {
    await using server = await startLimited({ MAX_SUBSCRIPTIONS_PER_PRINCIPAL: '1' });
    const listen = (uris: readonly string[]) => {
      const message = modernRequest('subscriptions/listen', { notifications: { resourceSubscriptions: uris } });
      const headers = { ...BOTH, ...headersOf(message) };
      return server.ask('/mcp', { method: 'POST', headers, body: JSON.stringify(message) });
    };
    const long = Array.from({ length: 100 }, (_, n) => `test://${n}/${'x'.repeat(700)}`);
    expect(await (await listen(long)).json()).toMatchObject({ error: { code: -32602 } });
    const open = await listen(['test://a']);
    expect(open.headers.get('content-type')).toBe('text/event-stream');
    expect(await limitOf(await listen(['test://a']))).toMatchObject({
      status: 429,
      limit: 'MAX_SUBSCRIPTIONS_PER_PRINCIPAL',
      most: 1,
    });
    await open.body?.cancel();
  });
});

describe('RFC 6585 §4 limits of memory', () => {
  it('unfinished bodies of a person are limited in bytes, which are free again when the connections close', async () => {
    await using server = await startLimited({ MAX_BYTES_PER_PRINCIPAL: '2000000' });
    const session = await server.open('2025-11-25');
    const { port, hostname } = new URL(server.url);
    const authorization = await server.authorization();
    const slow = async () => {
      const socket = connect(Number(port), hostname);
      const head = [
        'POST /mcp HTTP/1.1',
        `Host: ${hostname}:${port}`,
        `Authorization: ${authorization}`,
        'Content-Type: application/json',
        'Content-Length: 900000',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n{"a":`);
      return socket;
    };
    const first = [await slow(), await slow()];
    const big = () => server.post(session, { ...ping(1), params: { padding: 'x'.repeat(900_000) } });
    await expect.poll(async () => (await big()).status).toBe(429);
    expect(await limitOf(await big())).toMatchObject({ retry: '5', limit: 'MAX_BYTES_PER_PRINCIPAL', most: 2_000_000 });
    for (const socket of first) {
      socket.destroy();
      await once(socket, 'close');
    }
    await expect.poll(async () => (await big()).status).toBe(200);
  });
});
