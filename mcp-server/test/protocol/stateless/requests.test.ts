/** Proves what a request of 2026-07-28 must contain, and the status and code of the refusal otherwise. */
import { request as httpRequest } from 'node:http';
import { json as readJson } from 'node:stream/consumers';
import {
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RpcError } from '../../../src/protocol/call.ts';
import { REVISIONS } from '../../../src/protocol/revisions.ts';
import {
  answerTo,
  call,
  headersOf,
  meta,
  methodsOf,
  request,
  SERVER_INFO,
  startStateless,
  type TestStateless,
} from '../../support/stateless-harness.ts';

const echo = {
  run: (given: Record<string, unknown>) => ({ content: [{ type: 'text', text: String(given.message) }] }),
};
const regional = {
  inputSchema: {
    type: 'object',
    properties: {
      region: { type: 'string', 'x-mcp-header': 'Region' },
      deep: { type: 'object', properties: { count: { type: 'integer', 'x-mcp-header': 'Count' } } },
      sure: { type: 'boolean', 'x-mcp-header': 'Sure' },
    },
  },
  run: () => ({ content: [] }),
};
const tools = { echo, regional, grüße: echo };

const methods = methodsOf(tools, {
  'prompts/get': () => ({ messages: [] }),
  'resources/read': ({ uri }) => ({ contents: [{ uri, text: 'x' }] }),
  'resources/list': () => Promise.reject(new RpcError(-32602, 'Invalid cursor', { cursor: 'x' })),
  'resources/templates/list': () => Promise.reject(new Error('secret of the database')),
  'completion/complete': async () => ({ completion: 1n }),
  'prompts/list': () => ({ prompts: [], _meta: { mine: 1 } }),
});

let server: TestStateless;
beforeAll(async () => {
  server = await startStateless({ tools, methods });
});
afterAll(() => server[Symbol.asyncDispose]());

const ask = (message: unknown, headers: Record<string, string | undefined> = {}) =>
  answerTo(server.url, message, { headers });
const codeOf = async (message: unknown, headers: Record<string, string | undefined> = {}) => {
  const { status, body } = await ask(message, headers);
  return [status, body?.error?.code];
};
const without = (key: string) => {
  const { [key]: _, ...rest } = meta() as Record<string, unknown>;
  return { _meta: rest };
};

describe('MCP 2026-07-28 basic: _meta', () => {
  it.each([
    ['_meta', { _meta: undefined }],
    ['an object as _meta', { _meta: [] }],
    ['the protocol version', without(PROTOCOL_VERSION_META_KEY)],
    ['the capabilities', without(CLIENT_CAPABILITIES_META_KEY)],
    ['capabilities that are an object', { _meta: meta({ [CLIENT_CAPABILITIES_META_KEY]: ['elicitation'] }) }],
    ['a log level that exists', { _meta: meta({ [LOG_LEVEL_META_KEY]: 'loud' }) }],
    ['a progress token that is a string or an integer', { _meta: meta({ progressToken: {} }) }],
  ])('a request without %s is answered with 400 and -32602', async (_, params) => {
    const { status, body } = await ask(request('tools/list', params, 'mine'));
    expect([status, body.error.code, body.id]).toEqual([400, -32602, 'mine']);
  });

  it('a request without clientInfo is served', async () => {
    const params = { _meta: { [PROTOCOL_VERSION_META_KEY]: '2026-07-28', [CLIENT_CAPABILITIES_META_KEY]: {} } };
    expect((await ask(request('tools/list', params))).status).toBe(200);
  });

  it("every result has serverInfo in its _meta, beside the method's own", async () => {
    const { body } = await ask(request('prompts/list'));
    expect(body.result._meta).toEqual({ mine: 1, [SERVER_INFO_META_KEY]: SERVER_INFO });
  });
});

describe('MCP 2026-07-28 basic/versioning: protocol version negotiation', () => {
  it.each(['v999.0.0', '2099-01-01', '1900-01-01', '2025-11-25'])(
    'the unsupported version %s is answered with 400 and -32022, and the supported versions',
    async (version) => {
      const message = request('server/discover', { _meta: meta({ [PROTOCOL_VERSION_META_KEY]: version }) }, 301);
      const { status, body } = await ask(message, { 'mcp-protocol-version': version });
      expect([status, body.id, body.error.code]).toEqual([400, 301, -32022]);
      expect(body.error.data).toEqual({ supported: REVISIONS, requested: version });
    },
  );

  it('the discovery lists the revisions 2024-11-05 to 2026-07-28', async () => {
    const { body } = await ask(request('server/discover'));
    expect(body.result.supportedVersions).toEqual(
      expect.arrayContaining(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28']),
    );
    expect(body.result.capabilities).toMatchObject({
      tools: { listChanged: true },
      resources: { subscribe: true },
      completions: {},
      logging: {},
    });
    expect(body.result._meta[SERVER_INFO_META_KEY]).toEqual(SERVER_INFO);
  });

  it('initialize, and a message that names no revision of this era, is left to the sessions', async () => {
    const older = { 'mcp-protocol-version': '2025-11-25', 'mcp-method': undefined };
    const initialize = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '0' },
      _meta: undefined,
    };
    for (const params of [initialize, { _meta: { progressToken: 1 } }]) {
      expect((await ask(request('initialize', params), older)).status).toBe(421);
      expect((await ask(request('initialize', params), { 'mcp-protocol-version': undefined })).status).toBe(421);
    }
    expect((await ask([request('tools/list', { _meta: undefined })], older)).status).toBe(421);
    const get = await fetch(server.url, { headers: headersOf({}) });
    expect(get.status).toBe(421);
  });
});

describe('MCP 2026-07-28 Streamable HTTP: sending messages', () => {
  it('a notification is answered with 202 without a body', async () => {
    const notification = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1, _meta: meta() } };
    expect(await ask(notification)).toEqual({ status: 202, body: undefined });
  });

  it.each([
    ['a batch', [request('tools/list')]],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }],
    ['an error', { jsonrpc: '2.0', id: 1, error: { code: 1, message: 'x' } }],
    ['another JSON-RPC', { ...request('tools/list'), jsonrpc: '1.0' }],
    ['a null id', { ...request('tools/list'), id: null }],
    ['a fractional id', { ...request('tools/list'), id: 1.5 }],
    ['params that are an array', { ...request('tools/list'), params: [] }],
  ])('%s is answered with 400 and -32600', async (_, message) => {
    expect(await codeOf(message)).toEqual([400, -32600]);
  });

  it('an error has no id when the request had no readable one', async () => {
    const { body } = await ask({ ...request('tools/list'), id: null });
    expect('id' in body).toBe(false);
  });

  it.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'unknown/method', 'constructor'])(
    'the method %s is answered with 404 and -32601',
    async (method) => {
      const { status, body } = await ask(request(method, {}, 7));
      expect([status, body.id, body.error.code]).toEqual([404, 7, -32601]);
    },
  );

  it('a client that accepts neither form of an answer gets 406', async () => {
    expect((await codeOf(request('tools/list'), { accept: 'text/html' }))[0]).toBe(406);
    expect((await codeOf(request('tools/list'), { accept: 'application/json' }))[0]).toBe(200);
  });

  it('a session id and Last-Event-ID are ignored', async () => {
    const { status } = await ask(request('tools/list'), { 'mcp-session-id': 'unknown', 'last-event-id': '7' });
    expect(status).toBe(200);
  });
});

describe('MCP 2026-07-28 basic: responses', () => {
  it('a result says that it is complete', async () => {
    const { status, body } = await ask({ ...call('echo', { message: 'hello' }), id: 'a"b' });
    expect([status, body.jsonrpc, body.id]).toEqual([200, '2.0', 'a"b']);
    expect(body.result).toMatchObject({ resultType: 'complete', content: [{ type: 'text', text: 'hello' }] });
    expect(body.result).not.toHaveProperty('ttlMs');
  });

  it("a method's own error is passed on, and a fault is answered without details", async () => {
    expect((await ask(request('resources/list'))).body.error).toEqual({
      code: -32602,
      message: 'Invalid cursor',
      data: { cursor: 'x' },
    });
    expect((await ask(request('resources/templates/list'))).body.error).toEqual({
      code: -32603,
      message: 'Internal error',
    });
    expect(server.lines.join()).toContain('secret of the database');
    expect((await ask(request('completion/complete'))).body.error).toEqual({ code: -32603, message: 'Internal error' });
  });
});

describe('MCP 2026-07-28 server/utilities/caching', () => {
  it.each(['server/discover', 'tools/list', 'prompts/list'])(
    'the answer of %s has a freshness hint, the same on every page',
    async (method) => {
      const { body } = await ask(request(method));
      expect(body.result).toMatchObject({ ttlMs: expect.any(Number), cacheScope: 'public' });
      expect((await ask(request(method))).body.result).toEqual(body.result);
    },
  );

  it('the content of a resource is private and not fresh', async () => {
    const { body } = await ask(request('resources/read', { uri: 'test://x' }));
    expect(body.result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
  });

  it('a list that differs between callers is private', async () => {
    await using hiding = await startStateless({ listScope: 'private' });
    expect((await answerTo(hiding.url, request('tools/list'))).body.result.cacheScope).toBe('private');
  });
});

describe('MCP 2026-07-28 Streamable HTTP: standard request headers', () => {
  it.each([
    ['no version', request('tools/list'), { 'mcp-protocol-version': undefined }],
    ['another version', request('tools/list'), { 'mcp-protocol-version': '2025-11-25' }],
    ['no method', request('tools/list'), { 'mcp-method': undefined }],
    ['another method', request('tools/list'), { 'mcp-method': 'prompts/list' }],
    ['the method in capitals', request('tools/list'), { 'mcp-method': 'TOOLS/LIST' }],
    ['no name of a tool', call('echo'), { 'mcp-name': undefined }],
    ['another tool', call('echo'), { 'mcp-name': 'sum' }],
    ['a tool where the body has none', request('tools/call', { name: 7 }), { 'mcp-name': 'echo' }],
    ['no name of a prompt', request('prompts/get', { name: 'x' }), { 'mcp-name': undefined }],
    ['another URI', request('resources/read', { uri: 'test://x' }), { 'mcp-name': 'test://y' }],
    ['a name in bad Base64', call('echo'), { 'mcp-name': '=?base64?ZWNob?=' }],
    ['a name that is not UTF-8', call('echo'), { 'mcp-name': '=?base64?/w==?=' }],
    ['a name in Latin-1', call('grüße'), { 'mcp-name': 'grüße' }],
  ])('headers with %s are answered with 400 and -32020', async (_, message, headers) => {
    expect(await codeOf(message, headers)).toEqual([400, -32020]);
  });

  it('a name may be in its Base64 form', async () => {
    const encoded = (name: string) => ({ 'mcp-name': `=?base64?${Buffer.from(name).toString('base64')}?=` });
    expect(await codeOf(call('grüße'), encoded('grüße'))).toEqual([200, undefined]);
    expect(await codeOf(call('echo'), encoded('echo'))).toEqual([200, undefined]);
  });

  it('header names are accepted in any case, and values with spaces around them (RFC 9110 §5.5)', async () => {
    const message = call('echo', { message: 'x' });
    const { 'mcp-name': _, ...headers } = headersOf(message);
    const answer = await new Promise((resolve, reject) => {
      const sent = httpRequest(server.url, { method: 'POST', headers: { ...headers, 'MCP-NAME': '  echo \t ' } });
      sent.on('response', (response) => resolve(readJson(response))).on('error', reject);
      sent.end(JSON.stringify(message));
    });
    expect(answer).toMatchObject({ result: { resultType: 'complete' } });
  });
});

describe('MCP 2026-07-28 Streamable HTTP: custom headers from tool parameters', () => {
  const hello = Buffer.from('Hello').toString('base64');
  it.each([
    ['the value', { region: 'eu' }, { 'mcp-param-region': 'eu' }],
    ['the value in Base64', { region: 'Hello' }, { 'mcp-param-region': `=?base64?${hello}?=` }],
    ['what only begins like Base64', { region: `=?base64?${hello}` }, { 'mcp-param-region': `=?base64?${hello}` }],
    ['nothing where the body has null', { region: null }, {}],
    ['an integer, deep inside', { deep: { count: 42 } }, { 'mcp-param-count': '42' }],
    ['an integer, written otherwise', { deep: { count: 42 } }, { 'mcp-param-count': '42.0' }],
    ['a boolean', { sure: false }, { 'mcp-param-sure': 'false' }],
    ['headers of other tools', {}, { 'mcp-param-other': 'x' }],
  ])('a parameter header with %s is accepted', async (_, given, headers) => {
    expect(await codeOf(call('regional', given), headers)).toEqual([200, undefined]);
  });

  it.each([
    ['nothing', { region: 'eu' }, {}],
    ['another value', { region: 'eu' }, { 'mcp-param-region': 'us' }],
    ['a value that the body does not have', {}, { 'mcp-param-region': 'us' }],
    ['bad padding', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }],
    ['no Base64 at all', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVs!!!bG8=?=' }],
    ['Latin-1', { region: 'é' }, { 'mcp-param-region': 'é' }],
    ['another integer', { deep: { count: 42 } }, { 'mcp-param-count': '43' }],
    ['a boolean in capitals', { sure: true }, { 'mcp-param-sure': 'True' }],
  ])('a parameter header with %s is answered with 400 and -32020', async (_, given, headers) => {
    expect(await codeOf(call('regional', given), headers)).toEqual([400, -32020]);
  });
});
