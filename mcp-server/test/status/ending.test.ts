/**
 * Proves that a revocation ends what goes on without a request: streams, running calls and sessions, over each transport, and that it
 * ends nothing else.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { defineTool } from '../../src/protocol/define.ts';
import { type Foreign, type ForeignServer, startForeign, startServer } from '../support/foreign.ts';
import { bearer } from '../support/http-harness.ts';
import { signingKey, signToken } from '../support/issuer.ts';
import { call, initialize, request } from '../support/protocol-harness.ts';
import { headersOf, request as modernRequest } from '../support/stateless-harness.ts';
import { type PublishedList, publishList } from '../support/status-lists.ts';

/** Calls that run, by the subject of their caller, and why each was aborted. */
const running = new Map<string, Promise<unknown>>();
const catalog = createCatalog([
  defineTool({
    name: 'wait',
    title: 'Wait',
    description: 'Waits until it is aborted',
    input: z.object({ says: z.boolean().optional() }),
    run: async ({ says }, context) => {
      const aborted = Promise.withResolvers<unknown>();
      context.signal.addEventListener('abort', () => aborted.resolve(context.signal.reason));
      running.set(context.principal.subject, aborted.promise);
      if (says) context.log('info', 'begun');
      await aborted.promise;
      return { text: 'aborted' };
    },
  }),
]);

const REVOKED = '"error":{"code":-32000,';

let issuer: Foreign;
let server: ForeignServer;
let list: PublishedList;
beforeAll(async () => {
  issuer = await startForeign('', 'ES256');
});
afterAll(() => issuer.issuer.close());
beforeEach(async () => {
  running.clear();
  server = await startServer({ ISSUER: issuer.issuer.url }, { catalog });
  list = await publishList(issuer, server.clock);
});
afterEach(() => server[Symbol.asyncDispose]());

/** A token of a person, whose reference is an index. Later ones of the same person expire later. */
const token = (sub: string, idx: number, lifetime = 600) => {
  const now = server.clock.now() / 1000;
  const about = { iss: issuer.issuer.url, aud: `${server.url}/mcp`, client_id: 'desk', scope: 'mcp:tools' };
  const claims = { ...about, sub, iat: now, exp: now + lifetime, ...list.status(idx) };
  return signToken({ key: issuer.key, claims });
};

/** Marks these in the list, as the issuer does, and lets the time pass in which this must be known. No request is sent. */
const revoke = async (...marks: readonly number[]) => {
  server.clock.advance(1);
  await list.publish(marks);
  server.clock.advance(4);
};

interface Sent {
  readonly session?: string;
  readonly path?: string;
  readonly method?: string;
}

const send = (as: string, message?: object, { session, path = '/mcp', method = 'POST' }: Sent = {}) =>
  server.fetch(path, {
    method,
    headers: {
      ...bearer(as),
      accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      ...(message && { 'content-type': 'application/json' }),
      ...(session && { 'mcp-session-id': session }),
    },
    ...(message && { body: JSON.stringify(message) }),
  });

/** Sends the head of a request and the first byte of its body. @returns a function that sends the rest */
function sendSlowly(as: string, message: object, headers: Readonly<Record<string, string>>) {
  const body = JSON.stringify(message);
  const length = String(Buffer.byteLength(body));
  const sent = httpRequest(`${server.url}/mcp`, {
    method: 'POST',
    headers: { ...headers, authorization: `Bearer ${as}`, 'content-length': length },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => sent.on('response', resolve).on('error', reject));
  sent.write(body.slice(0, 1));
  return async () => {
    sent.end(body.slice(1));
    const answer = await answered;
    return { status: answer.statusCode, body: await text(answer) };
  };
}

const openSession = async (as: string): Promise<string> => {
  const response = await send(as, initialize());
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
};

const sendModern = (as: string, method: string, params: object) => {
  const message = modernRequest(method, params);
  return server.fetch('/mcp', {
    method: 'POST',
    headers: { ...headersOf(message), ...bearer(as) },
    body: JSON.stringify(message),
  });
};

/** Resolves with all that a stream has sent when it ends. */
const untilEnd = async (response: Promise<Response> | Response): Promise<string> => (await response).text();

/** Opens the stream of HTTP+SSE, and initializes its session. */
async function openSse(as: string) {
  const stream = await send(as, undefined, { path: '/sse', method: 'GET' });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  const more = async (): Promise<boolean> => {
    const { value = '', done = true } = (await reader?.read()) ?? {};
    text += value;
    return !done;
  };
  const until = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text)) if (!(await more())) throw new Error(`the stream has ended: ${text}`);
  };
  await until(/data: (\S+)/);
  const path = /data: (\S+)/.exec(text)?.[1] ?? '';
  await (await send(as, initialize('2024-11-05'), { path })).text();
  await until(/"protocolVersion"/);
  const ended = async (): Promise<string> => {
    while (await more());
    return text;
  };
  return { path, ended, leave: async () => reader?.cancel() };
}

describe('Token Status List, a token that is marked while something goes on', () => {
  it('Streamable HTTP: the stream of a marked token closes and its session is gone, and those of others go on', async () => {
    const [ada, bob] = [await token('ada', 1), await token('bob', 2)];
    const [hers, his] = [await openSession(ada), await openSession(bob)];
    const stream = untilEnd(send(ada, undefined, { session: hers, method: 'GET' }));
    const other = await send(bob, undefined, { session: his, method: 'GET' });
    await revoke(1);
    expect(await stream).not.toContain('error');
    expect((await send(ada, request(1, 'ping'), { session: hers })).status).toBe(401);
    expect((await send(await token('ada', 3), request(1, 'ping'), { session: hers })).status).toBe(404);
    expect((await send(bob, request(1, 'ping'), { session: his })).status).toBe(200);
    const { values } = await server.scrape();
    expect(values.get('mcp_streams')).toBe(1);
    expect(values.get('mcp_revoked_total{what="session"}')).toBe(1);
    await other.body?.cancel();
  });

  it('Streamable HTTP: the running call of a marked token is aborted and answered with an error', async () => {
    const ada = await token('ada', 1);
    const answer = send(ada, call(5, 'wait'), { session: await openSession(ada) });
    await expect.poll(() => running.has('ada')).toBe(true);
    await revoke(1);
    expect(String(await running.get('ada'))).toMatch(/revoked/);
    expect(await (await answer).json()).toMatchObject({ id: 5, error: { code: -32000 } });
  });

  it('Streamable HTTP: the stream of the running call of a marked token ends without a result', async () => {
    const ada = await token('ada', 1);
    const answer = untilEnd(send(ada, call(5, 'wait', { says: true }), { session: await openSession(ada) }));
    await expect.poll(() => running.has('ada')).toBe(true);
    await revoke(1);
    expect(String(await running.get('ada'))).toMatch(/revoked/);
    const said = await answer;
    expect(said).not.toContain('"result"');
    expect(said).toContain(REVOKED);
  });

  it('HTTP+SSE: the call of a marked token is aborted, its stream closes and its session is gone', async () => {
    const ada = await token('ada', 1);
    const { path, ended } = await openSse(ada);
    expect((await send(ada, call(5, 'wait'), { path })).status).toBe(202);
    await expect.poll(() => running.has('ada')).toBe(true);
    await revoke(1);
    expect(String(await running.get('ada'))).toMatch(/revoked/);
    expect(await ended()).toContain(REVOKED);
    expect((await send(await token('ada', 3), request(1, 'ping'), { path })).status).toBe(404);
  });

  it('MCP 2026-07-28 the call of a marked token is aborted and answered with an error, and its subscription ends', async () => {
    const [ada, bob] = [await token('ada', 1), await token('bob', 2)];
    const subscribe = (as: string) =>
      sendModern(as, 'subscriptions/listen', { notifications: { toolsListChanged: true } });
    const [hers, his] = [untilEnd(subscribe(ada)), await subscribe(bob)];
    const answer = sendModern(ada, 'tools/call', { name: 'wait', arguments: {} });
    await expect.poll(() => running.has('ada')).toBe(true);
    await revoke(1);
    await running.get('ada');
    expect(await (await answer).json()).toMatchObject({
      error: { code: -32000, message: expect.stringMatching(/revoked/) },
    });
    expect(await hers).toContain('"complete"');
    expect((await server.scrape()).values.get('mcp_subscriptions')).toBe(1);
    await his.body?.cancel();
  });

  it.each([
    ['tools/call', { name: 'wait', arguments: {} }],
    ['subscriptions/listen', { notifications: { toolsListChanged: true } }],
  ])('over MCP 2026-07-28 a %s whose body is sent after the mark does not begin', async (method, params) => {
    const message = modernRequest(method, params);
    const finish = sendSlowly(await token('ada', 1), message, headersOf(message));
    await expect.poll(() => list.answers).toEqual([200]);
    await revoke(1);
    await expect.poll(() => list.answers).toEqual([200, 200]);
    // What began between the check and the change has been ended by now.
    server.clock.advance(5);
    await expect.poll(() => list.answers).toEqual([200, 200, 304]);
    expect(await finish()).toMatchObject({ status: 401, body: expect.stringContaining('invalid_token') });
    expect(running.has('ada')).toBe(false);
  });

  it('over Streamable HTTP a call whose body is sent after the mark does not begin', async () => {
    const ada = await token('ada', 1);
    const session = await openSession(ada);
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
    const finish = sendSlowly(ada, call(5, 'wait'), { ...headers, 'mcp-session-id': session });
    // The head was read when a later request was answered.
    expect((await send(ada, request(1, 'ping'), { session })).status).toBe(200);
    await revoke(1);
    await expect.poll(() => list.answers).toEqual([200, 200]);
    server.clock.advance(5);
    await expect.poll(() => list.answers).toEqual([200, 200, 304]);
    expect(await finish()).toMatchObject({ status: 401 });
    expect(running.has('ada')).toBe(false);
  });

  it('a session lives by the newest token of its owner: an older one that is marked ends only what it opened', async () => {
    const [first, second] = [await token('ada', 1), await token('ada', 2, 900)];
    const session = await openSession(first);
    const stream = untilEnd(send(first, undefined, { session, method: 'GET' }));
    expect((await send(second, request(1, 'ping'), { session })).status).toBe(200);
    await revoke(1);
    await stream;
    expect((await send(first, request(1, 'ping'), { session })).status).toBe(401);
    expect((await send(second, request(1, 'ping'), { session })).status).toBe(200);
    const later = untilEnd(send(second, undefined, { session, method: 'GET' }));
    await revoke(2);
    await later;
    expect((await send(await token('ada', 3, 1_200), request(1, 'ping'), { session })).status).toBe(404);
  });

  it('the streams and calls of a key that its issuer has withdrawn end, and not those whose token has expired', async () => {
    const [forged, old] = [await token('ada', 1, 86_400), await token('bob', 2)];
    const next = await signingKey('key-2');
    issuer.issuer.keys.push(next.publicJwk);
    const [hers, his] = [await openSession(forged), await openSession(old)];
    const stream = untilEnd(send(forged, undefined, { session: hers, method: 'GET' }));
    const other = await send(old, undefined, { session: his, method: 'GET' });
    const answer = send(forged, call(5, 'wait'), { session: hers });
    await expect.poll(() => running.has('ada')).toBe(true);
    server.clock.advance(601);
    issuer.issuer.keys.splice(0, 1);
    await list.publish([], { key: next });
    await stream;
    expect(String(await running.get('ada'))).toMatch(/revoked/);
    expect(await (await answer).json()).toMatchObject({ error: { code: -32000 } });
    expect((await server.scrape()).values.get('mcp_streams')).toBe(1);
    await other.body?.cancel();
    issuer.issuer.keys.splice(0, 1, issuer.key.publicJwk);
  });

  it('a client that comes back over HTTP+SSE with a new approval takes up no session of the one that was ended', async () => {
    const { path, leave } = await openSse(await token('ada', 1));
    await leave();
    await expect.poll(async () => (await server.scrape()).values.get('mcp_streams')).toBe(0);
    await revoke(1);
    await expect.poll(() => list.answers).toEqual([200, 200]);
    const again = await server.fetch('/sse', {
      headers: { ...bearer(await token('ada', 3)), accept: 'text/event-stream', 'mcp-protocol-version': '2024-11-05' },
    });
    const { value } = (await again.body?.getReader().read()) ?? {};
    const [, opened] = /data: (\S+)/.exec(new TextDecoder().decode(value)) ?? [];
    expect(opened).toMatch(/sessionId=/);
    expect(opened).not.toBe(path);
  });
});
