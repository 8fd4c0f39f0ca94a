/**
 * Proves that subscribed clients get the change notifications that they requested, and no others (MCP 2026-07-28
 * basic/patterns/subscriptions).
 */
import { SERVER_INFO_META_KEY, SUBSCRIPTION_ID_META_KEY } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { frames, messages } from '../../support/protocol-harness.ts';
import { answerTo, post, request, SERVER_INFO, type Sent, startStateless } from '../../support/stateless-harness.ts';

const listen = (url: string, notifications: unknown, id: string | number = 7, sent: Sent = {}) =>
  post(url, request('subscriptions/listen', { notifications }, id), sent);

/** A stream, read message by message; comments are left out. */
async function open(url: string, notifications: unknown, id: string | number = 7, sent: Sent = {}) {
  const response = await listen(url, notifications, id, sent);
  const reader = frames(response);
  const next = async () => {
    for (;;) {
      const { value, done } = await reader.next();
      if (done) return undefined;
      if (typeof value !== 'string') return JSON.parse(value.data);
    }
  };
  return { response, next };
}

const tagged = (id: string | number, more: object = {}) => ({ ...more, _meta: { [SUBSCRIPTION_ID_META_KEY]: id } });

const everything = {
  toolsListChanged: true,
  promptsListChanged: true,
  resourcesListChanged: true,
  resourceSubscriptions: ['test://a', 'test://b'],
};

describe('MCP 2026-07-28 basic/patterns/subscriptions', () => {
  it('a subscription is first acknowledged with its filter and the id of the request', async () => {
    await using server = await startStateless();
    const { response, next } = await open(server.url, everything, 'sub');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: tagged('sub', { notifications: everything }),
    });
  });

  it('each stream gets the notifications of its filter, and no others', async () => {
    await using server = await startStateless();
    const all = await open(server.url, everything, 1);
    const tools = await open(server.url, { toolsListChanged: true, promptsListChanged: false }, 2);
    const one = await open(server.url, { resourceSubscriptions: ['test://b'] }, 3);
    for (const stream of [all, tools, one]) await stream.next();
    for (const kind of ['prompts', 'resources', 'tools'] as const) await server.changes.announce({ kind });
    for (const uri of ['test://c', 'test://a', 'test://b']) await server.changes.announce({ kind: 'resource', uri });
    server.stateless.drain();
    const heard = async ({ next }: typeof all) => {
      const found = [];
      for (let message = await next(); message; message = await next()) found.push(message);
      return found;
    };
    const listChanged = (kind: string, id: number) => ({
      jsonrpc: '2.0',
      method: `notifications/${kind}/list_changed`,
      params: tagged(id),
    });
    const updated = (uri: string, id: number) => ({
      jsonrpc: '2.0',
      method: 'notifications/resources/updated',
      params: tagged(id, { uri }),
    });
    const ended = (id: number) => ({
      jsonrpc: '2.0',
      id,
      result: {
        resultType: 'complete',
        _meta: { [SUBSCRIPTION_ID_META_KEY]: id, [SERVER_INFO_META_KEY]: SERVER_INFO },
      },
    });
    expect(await heard(all)).toEqual([
      ...['prompts', 'resources', 'tools'].map((kind) => listChanged(kind, 1)),
      updated('test://a', 1),
      updated('test://b', 1),
      ended(1),
    ]);
    expect(await heard(tools)).toEqual([listChanged('tools', 2), ended(2)]);
    expect(await heard(one)).toEqual([updated('test://b', 3), ended(3)]);
  });

  it('a stream with an empty filter ends at once', async () => {
    await using server = await startStateless();
    expect(await messages(await listen(server.url, {}))).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } },
      { id: 7, result: { resultType: 'complete' } },
    ]);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an array', []],
    ['a type that is no boolean', { toolsListChanged: 'yes' }],
    ['a URI that is no text', { resourceSubscriptions: [1] }],
    ['more URIs than one stream may follow', { resourceSubscriptions: Array(1_001).fill('test://x') }],
  ])('a filter that is %s is answered with -32602', async (_, notifications) => {
    await using server = await startStateless();
    const { body } = await answerTo(server.url, request('subscriptions/listen', { notifications }));
    expect(body).toMatchObject({ id: 1, error: { code: -32602 } });
  });

  it('a client that accepts no streams gets 406', async () => {
    await using server = await startStateless();
    expect((await listen(server.url, everything, 1, { headers: { accept: 'application/json' } })).status).toBe(406);
  });

  it('a subscription sends keep-alive comments', async () => {
    await using server = await startStateless({ limits: { keepAlive: 0.01 } });
    const reader = frames(await listen(server.url, everything));
    await reader.next();
    expect((await reader.next()).value).toBe(': keep-alive');
  });

  it('a disconnected client no longer counts', async () => {
    await using server = await startStateless({ limits: { maxSubscriptions: 1, maxSubscriptionsPerPrincipal: 1 } });
    for (let n = 0; n < 3; n += 1) {
      const leave = new AbortController();
      const opened = async () => {
        const { response, next } = await open(server.url, everything, n, { signal: leave.signal });
        return response.ok && (await next());
      };
      await expect.poll(opened).toBeTruthy();
      leave.abort();
    }
  });
});

describe('MCP 2026-07-28 basic/patterns/subscriptions: limits', () => {
  it('a person with too many streams gets 429, whatever their client, and others are served', async () => {
    await using server = await startStateless({ limits: { maxSubscriptions: 9, maxSubscriptionsPerPrincipal: 2 } });
    const as = (name: string) => ({ headers: { authorization: `Bearer ${name}` } });
    await open(server.url, everything, 1, as('ada'));
    await open(server.url, everything, 2, as('ada-elsewhere'));
    const refused = await listen(server.url, everything, 3, as('ada'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '10']);
    expect((await open(server.url, everything, 4, as('bob'))).response.status).toBe(200);
  });

  it('a subscription gets 503 when the server has too many streams', async () => {
    await using full = await startStateless({ limits: { maxSubscriptions: 0, maxSubscriptionsPerPrincipal: 1 } });
    expect((await listen(full.url, everything)).status).toBe(503);
  });

  it('a draining server acknowledges a stream and ends it, so that the client connects again', async () => {
    await using ending = await startStateless();
    expect(ending.stateless.drain()).toEqual({ running: 0, leaving: 0 });
    expect(await messages(await listen(ending.url, everything))).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged' },
      { id: 7, result: { resultType: 'complete' } },
    ]);
  });

  it('a stream ends within a minute after its token has expired', async () => {
    await using server = await startStateless({ limits: { keepAlive: 0.01 } });
    const [short, long] = await Promise.all(
      ['ada', 'ada-later'].map((name) =>
        open(server.url, everything, name, { headers: { authorization: `Bearer ${name}` } }),
      ),
    );
    await short?.next();
    await long?.next();
    server.clock.advance(3_600 + 59);
    await server.changes.announce({ kind: 'tools' });
    expect(await short?.next()).toMatchObject({ method: 'notifications/tools/list_changed' });
    server.clock.advance(1);
    expect(await short?.next()).toMatchObject({ id: 'ada', result: { resultType: 'complete' } });
    expect(await short?.next()).toBeUndefined();
    await long?.next();
    await server.changes.announce({ kind: 'prompts' });
    expect(await long?.next()).toMatchObject({ method: 'notifications/prompts/list_changed' });
  });
});
