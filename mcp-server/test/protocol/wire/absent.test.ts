/**
 * Proves that members with null, or with PHP's empty array, are read as absent in every era, and that the error for a
 * missing required member has the request's id and names it (JSON-RPC 2.0 §4 and §5).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { definePrompt, defineResource, defineTool } from '../../../src/protocol/define.ts';
import { dropAbsent } from '../../../src/protocol/wire/absent.ts';
import { methodsOver } from '../../support/methods-harness.ts';
import {
  frames,
  initialize,
  json,
  messagesOf,
  openSession,
  send,
  startMcp,
  type TestMcp,
} from '../../support/protocol-harness.ts';
import { answerTo, meta, startStateless, type TestStateless } from '../../support/stateless-harness.ts';

const definitions = [
  defineTool({
    name: 'plain',
    title: 't',
    description: 'd',
    input: z.object({ maybe: z.string().nullable().optional() }),
    run: ({ maybe }) => ({ text: `${maybe}` }),
  }),
  defineTool({
    name: 'asks',
    title: 't',
    description: 'd',
    input: z.object({}),
    run: async (_, { elicit }) => {
      const { action, ...rest } = await elicit('?', z.object({ a: z.string().optional() }), 'q');
      return { text: JSON.stringify([action, rest]) };
    },
  }),
  defineResource({ name: 'r', title: 't', description: 'd', uri: 'a:b', read: () => ({ text: 'r' }) }),
  definePrompt({
    name: 'p',
    title: 't',
    description: 'd',
    arguments: z.object({ a: z.enum(['x', 'y']).optional() }),
    render: ({ a }) => [{ role: 'user', content: { type: 'text', text: `${a}` } }],
  }),
] as const;

/** Members of a request without a value, and what its result must contain nevertheless. */
const silent: readonly (readonly [string, string, unknown, object])[] = [
  ['params null', 'tools/list', null, { tools: expect.anything() }],
  ['params []', 'tools/list', [], { tools: expect.anything() }],
  ['_meta null', 'tools/list', { _meta: null }, { tools: expect.anything() }],
  ['_meta []', 'tools/list', { _meta: [] }, { tools: expect.anything() }],
  ['cursor null', 'resources/list', { cursor: null }, { resources: expect.anything() }],
  ['cursor null', 'prompts/list', { cursor: null }, { prompts: expect.anything() }],
  ['progressToken null', 'tools/list', { _meta: { progressToken: null } }, { tools: expect.anything() }],
  ['arguments null', 'tools/call', { name: 'plain', arguments: null }, { content: [{ text: 'undefined' }] }],
  ['arguments []', 'tools/call', { name: 'plain', arguments: [] }, { content: [{ text: 'undefined' }] }],
  ['task null', 'tools/call', { name: 'plain', task: null }, { content: [{ text: 'undefined' }] }],
  ['arguments null', 'prompts/get', { name: 'p', arguments: null }, { messages: [{ content: { text: 'undefined' } }] }],
  ['arguments []', 'prompts/get', { name: 'p', arguments: [] }, { messages: [{ content: { text: 'undefined' } }] }],
  ['an argument null', 'prompts/get', { name: 'p', arguments: { a: null } }, { messages: expect.anything() }],
  ['_meta null', 'resources/read', { uri: 'a:b', _meta: null }, { contents: [{ text: 'r' }] }],
  [
    'context null',
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'p', title: null }, argument: { name: 'a', value: 'x' }, context: null },
    { completion: { values: ['x'] } },
  ],
  [
    'context []',
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'x' }, context: [] },
    { completion: { values: ['x'] } },
  ],
  [
    'arguments of the context []',
    'completion/complete',
    { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'x' }, context: { arguments: [] } },
    { completion: { values: ['x'] } },
  ],
  [
    'an argument of the context null',
    'completion/complete',
    {
      ref: { type: 'ref/prompt', name: 'p' },
      argument: { name: 'a', value: 'x' },
      context: { arguments: { a: null } },
    },
    { completion: { values: ['x'] } },
  ],
];

/** Requests with a missing or invalid required member: code and member of the error. */
const wrong: readonly (readonly [string, unknown, number, string])[] = [
  ['tools/call', { name: null }, -32602, 'name'],
  ['tools/call', { name: 'plain', arguments: 7 }, -32602, 'arguments'],
  ['tools/call', { name: 'plain', arguments: ['x'] }, -32602, 'arguments'],
  ['prompts/get', { name: 'p', arguments: 'x' }, -32602, 'arguments'],
  ['resources/read', { uri: null }, -32602, 'uri'],
  ['completion/complete', { ref: null, argument: { name: 'a', value: '' } }, -32602, 'ref'],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: null }, -32602, 'name'],
  ['tools/list', { cursor: 7 }, -32602, 'cursor'],
];

describe('absent and null members in a session', () => {
  let mcp: TestMcp;
  let session: string;
  let sse: AsyncGenerator<unknown>;
  let endpoint: string;
  const sse200 = async (message: object) => {
    const { status } = await send(mcp.url, message, { path: endpoint });
    // biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
    return { status, body: status === 202 ? ((await sse.next()).value as any) : undefined };
  };

  beforeAll(async () => {
    mcp = await startMcp({ catalog: createCatalog(definitions) });
    session = await openSession(mcp.url);
    const stream = await send(mcp.url, undefined, { method: 'GET', path: '/sse' });
    const events = frames(stream);
    const first = (await events.next()).value;
    if (typeof first !== 'object') throw new Error('no endpoint');
    endpoint = first.data;
    sse = (async function* () {
      for await (const frame of events) if (typeof frame !== 'string') yield JSON.parse(frame.data);
    })();
    await send(mcp.url, initialize('2024-11-05'), { path: endpoint });
    await sse.next();
  });
  afterAll(() => mcp[Symbol.asyncDispose]());

  it.each(silent)('JSON-RPC 2.0 §4.2 a session reads %s of %s as absent', async (_, method, params, result) => {
    const asked = { jsonrpc: '2.0', id: 5, method, params };
    expect(await json(await send(mcp.url, asked, { session }))).toMatchObject({ id: 5, result });
    expect((await sse200(asked)).body).toMatchObject({ id: 5, result });
  });

  it.each(wrong)(
    'JSON-RPC 2.0 §5.1 a session refuses %s %j with the id and the member',
    async (method, params, code, member) => {
      const asked = { jsonrpc: '2.0', id: 'six', method, params };
      const error = { code, message: expect.stringMatching(new RegExp(member, 'i')) };
      expect(await json(await send(mcp.url, asked, { session }))).toMatchObject({ id: 'six', error });
      expect((await sse200(asked)).body).toMatchObject({ id: 'six', error });
    },
  );

  it.each([
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list', params: 'x' }, 7, 'params'],
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list', params: [1] }, 7, 'params'],
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta: 'x' } }, 7, 'params._meta'],
    [{ jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta: { progressToken: {} } } }, 7, 'progressToken'],
    [{ jsonrpc: '2.0', id: 7, method: 7 }, 7, 'method'],
    [{ jsonrpc: '2.0', id: 7, method: null }, 7, 'method'],
    [{ jsonrpc: '1.0', id: 7, method: 'ping' }, 7, 'jsonrpc'],
    [{ jsonrpc: null, id: 7, method: 'ping' }, 7, 'jsonrpc'],
    [{ jsonrpc: '2.0', id: 7, method: 'ping', more: 1 }, 7, '"more"'],
    [{ jsonrpc: '2.0', id: 7, error: { code: null, message: 'x' } }, 7, 'error.code'],
    [{ jsonrpc: '2.0', id: 7, error: { code: 1 } }, 7, 'error.message'],
    [{ jsonrpc: '2.0', id: null, method: 'ping' }, null, 'id'],
    [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }, null, 'id'],
    [{ jsonrpc: '2.0', id: '\ud83d', method: 'ping' }, null, 'id'],
  ])('JSON-RPC 2.0 §5 a session refuses %j with its id and the member', async (asked, id, member) => {
    for (const options of [{ session }, { path: endpoint }]) {
      const answer = await send(mcp.url, asked, options);
      const error = { code: -32600, message: expect.stringContaining(member) };
      expect([answer.status, await json(answer)]).toMatchObject([400, { id, error }]);
    }
  });

  it('JSON-RPC 2.0 §4 null members of another message type are dropped', async () => {
    const asked = { jsonrpc: '2.0', id: 8, method: 'ping', params: null, result: null, error: null };
    expect(await json(await send(mcp.url, asked, { session }))).toMatchObject({ id: 8, result: {} });
  });

  it('JSON-RPC 2.0 §4.1 a notification whose id is null is accepted', async () => {
    const said = { jsonrpc: '2.0', id: null, method: 'notifications/initialized', params: [] };
    expect((await send(mcp.url, said, { session })).status).toBe(202);
  });

  it('MCP 2025-11-25 lifecycle accepts an initialize whose optional members are null', async () => {
    const params = {
      protocolVersion: '2025-11-25',
      _meta: null,
      capabilities: { roots: null, sampling: [], elicitation: { form: [], url: null }, experimental: null },
      clientInfo: { name: 'x', version: '1', title: null, icons: null, websiteUrl: null, description: null },
    };
    const answer = await send(mcp.url, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    expect(await json(answer)).toMatchObject({ id: 0, result: { protocolVersion: '2025-11-25' } });
  });

  it.each([null, [], undefined])('MCP 2025-11-25 lifecycle reads capabilities %j as none', async (capabilities) => {
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'x', version: '1' } };
    const opened = await send(mcp.url, { jsonrpc: '2.0', id: 0, method: 'initialize', params });
    expect(await json(opened)).toMatchObject({ result: {} });
    const its = opened.headers.get('mcp-session-id') ?? '';
    const asked = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'asks' } };
    const { result } = await json(await send(mcp.url, asked, { session: its }));
    expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('elicitation') }] });
  });

  it.each([
    [{ clientInfo: { name: 'x', version: null } }, 'params.clientInfo.version'],
    [{ clientInfo: null }, 'params.clientInfo'],
    [{ protocolVersion: null }, 'params.protocolVersion'],
    [{ capabilities: 'all' }, 'params.capabilities'],
  ])('MCP 2025-11-25 lifecycle refuses an initialize with %j, with its id and the member', async (more, member) => {
    const { params } = initialize();
    const asked = { jsonrpc: '2.0', id: 'me', method: 'initialize', params: { ...params, ...more } };
    const answer = await send(mcp.url, asked);
    const error = { code: -32602, message: expect.stringContaining(member) };
    expect([answer.status, await json(answer)]).toMatchObject([400, { id: 'me', error }]);
  });

  it('MCP 2025-11-25 client/elicitation accepts answers whose optional members are null', async () => {
    const asking = await openSession(mcp.url, 'ada', '2025-11-25', { elicitation: {} });
    const asked = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'asks' } };
    for (const [result, text] of [
      [{ action: 'decline', content: null, _meta: null }, '["decline",{}]'],
      [{ action: 'accept', content: { a: null } }, '["accept",{"content":{}}]'],
      [{ action: 'accept', content: [] }, '["accept",{"content":{}}]'],
    ] as const) {
      const stream = messagesOf(await send(mcp.url, asked, { session: asking }));
      const { value: question } = await stream.next();
      const answer = { jsonrpc: '2.0', id: question.id, method: null, result, error: null };
      expect((await send(mcp.url, answer, { session: asking })).status).toBe(202);
      expect((await stream.next()).value.result.content[0].text).toBe(text);
    }
  });
});

it('JSON-RPC 2.0 §5 a result that is null or [] counts as an answer, so that no call waits for ever', async () => {
  await using mcp = await startMcp({ catalog: createCatalog(definitions) });
  const asking = await openSession(mcp.url, 'ada', '2025-11-25', { elicitation: {} });
  for (const result of [null, []]) {
    const asked = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'asks' } };
    const stream = messagesOf(await send(mcp.url, asked, { session: asking }));
    const { value: question } = await stream.next();
    const answer = { jsonrpc: '2.0', id: question.id, result, error: null, method: null };
    expect((await send(mcp.url, answer, { session: asking })).status).toBe(202);
    expect((await stream.next()).value).toMatchObject({ id: 1, result: { isError: true } });
  }
});

describe('absent and null members without sessions', () => {
  let own: TestStateless;
  beforeAll(async () => {
    const { methods } = methodsOver(definitions);
    own = await startStateless({ methods });
  });
  afterAll(() => own[Symbol.asyncDispose]());
  const nulls = { 'io.modelcontextprotocol/logLevel': null, progressToken: null };

  it.each(silent.filter(([what]) => !/^(params|_meta) /.test(what)))(
    'JSON-RPC 2.0 §4.2 a stateless request reads %s of %s as absent',
    async (_, method, params, result) => {
      const asked = { jsonrpc: '2.0', id: 5, method, params: { ...(params as object), _meta: meta(nulls) } };
      expect((await answerTo(own.url, asked)).body).toMatchObject({ id: 5, result });
    },
  );

  it.each(wrong)(
    'JSON-RPC 2.0 §5.1 a stateless request with %s %j is refused with the id and the member',
    async (method, params, code, member) => {
      const asked = { jsonrpc: '2.0', id: 'six', method, params: { ...(params as object), _meta: meta() } };
      const error = { code, message: expect.stringMatching(new RegExp(member, 'i')) };
      expect((await answerTo(own.url, asked)).body).toMatchObject({ id: 'six', error });
    },
  );

  it.each([
    [null, 'params'],
    [[], 'params'],
    [{ _meta: null }, '_meta'],
    [{ _meta: [] }, '_meta'],
    [{ _meta: meta({ 'io.modelcontextprotocol/protocolVersion': null }) }, 'protocolVersion'],
    [{ _meta: meta({ 'io.modelcontextprotocol/clientCapabilities': null }) }, 'clientCapabilities'],
    [{ _meta: meta({ progressToken: {} }) }, 'progressToken'],
  ])('MCP 2026-07-28 basic, "_meta" refuses params %j with the id and the member', async (params, member) => {
    const { status, body } = await answerTo(own.url, { jsonrpc: '2.0', id: 7, method: 'tools/list', params });
    expect([status, body]).toMatchObject([400, { id: 7, error: { message: expect.stringContaining(member) } }]);
  });

  it('MCP 2026-07-28 basic, "_meta" accepts capabilities and clientInfo as PHP encodes them', async () => {
    const said = {
      'io.modelcontextprotocol/clientCapabilities': [],
      'io.modelcontextprotocol/clientInfo': { name: 'php', version: '1', title: null },
    };
    const asked = { jsonrpc: '2.0', id: 7, method: 'tools/list', params: { _meta: meta(said) } };
    expect(await answerTo(own.url, asked)).toMatchObject({ status: 200, body: { id: 7 } });
  });

  it('MCP 2026-07-28 basic/patterns/mrtr reads null inputResponses and requestState as absent', async () => {
    const more = { inputResponses: null, requestState: null };
    const asked = (rest: object) => ({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'asks', ...rest, _meta: meta({}, { elicitation: [], sampling: null }) },
    });
    const { body } = await answerTo(own.url, asked(more));
    expect(body.result.resultType).toBe('input_required');
    const { requestState } = body.result;
    const answered = { requestState, inputResponses: { q: { action: 'accept', content: { a: null } }, other: null } };
    const { body: done } = await answerTo(own.url, asked(answered));
    expect(done.result.content[0].text).toBe('["accept",{"content":{}}]');
  });
});

describe('removal of absent members', () => {
  it("the arguments of a tool, and a model's tool use, stay unchanged", () => {
    const message = {
      method: 'tools/call',
      params: { name: 'x', arguments: { a: null, b: [], params: [], _meta: null }, _meta: { a: null } },
    };
    dropAbsent(message);
    expect(message.params).toEqual({ name: 'x', arguments: { a: null, b: [], params: [], _meta: null }, _meta: {} });
    const answer = { id: 1, result: { content: [{ type: 'tool_use', input: { a: null }, _meta: null }], model: null } };
    dropAbsent(answer);
    expect(answer.result).toEqual({ content: [{ type: 'tool_use', input: { a: null } }] });
  });

  it('an empty list is kept', () => {
    const answer = { id: 'x', result: { roots: [] } };
    dropAbsent(answer);
    expect(answer.result).toEqual({ roots: [] });
  });
});
