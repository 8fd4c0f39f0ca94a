/** Fuzzes what an authenticated caller can send: JSON-RPC of every revision of MCP, well formed and not. */
import fc from 'fast-check';
import { it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { type McpTarget, openMcp, statusOf } from './targets.ts';
import { headerValue, oddJson, oddObject } from './values.ts';

const STATELESS = '2026-07-28';
const META = {
  'io.modelcontextprotocol/protocolVersion': STATELESS,
  'io.modelcontextprotocol/clientInfo': { name: 'fuzz', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { elicitation: {}, roots: {}, sampling: {} },
};

/** Valid parameters of each method. */
const PARAMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'fuzz', version: '1' } },
  ping: {},
  'tools/list': { cursor: undefined },
  'tools/call': { name: 'echo', arguments: { message: 'hello' } },
  'prompts/list': {},
  'prompts/get': { name: 'try-out', arguments: {} },
  'resources/list': {},
  'resources/templates/list': {},
  'resources/read': { uri: 'mcp://server/status' },
  'resources/subscribe': { uri: 'mcp://server/status' },
  'resources/unsubscribe': { uri: 'mcp://server/status' },
  'completion/complete': { ref: { type: 'ref/prompt', name: 'try-out' }, argument: { name: 'x', value: '' } },
  'logging/setLevel': { level: 'debug' },
  'server/discover': {},
  'subscriptions/listen': { notifications: { toolsListChanged: true } },
  'notifications/initialized': {},
  'notifications/cancelled': { requestId: 1, reason: 'x' },
  'notifications/progress': { progressToken: 1, progress: 1 },
  'notifications/roots/list_changed': {},
  'no/such': {},
};
const TOOLS = ['echo', 'sum', 'whoami', 'stock_price', 'server_status', 'confirm', 'nobody'];
const PARAM_NAMES = [
  'name',
  'arguments',
  'uri',
  'cursor',
  '_meta',
  'ref',
  'argument',
  'context',
  'level',
  'requestId',
  'progressToken',
  'protocolVersion',
  'capabilities',
  'clientInfo',
  'notifications',
  'requestState',
  'inputResponses',
  'task',
  '__proto__',
];
const ENVELOPE = ['jsonrpc', 'id', 'method', 'params', 'result', 'error', '_meta', '__proto__'];
const ARGUMENTS = ['message', 'a', 'b', 'numbers', 'from', 'interval_ms', 'symbol', '__proto__'];

const quoted = (value: unknown): string => JSON.stringify(value);

const call: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...TOOLS), oddObject({ message: 'hello', symbol: 'X' }, ARGUMENTS))
  .map(([name, given]) => `{"name":${quoted(name)},"arguments":${given}}`);

/**
 * A message as text.
 * @param meta the `_meta` that every request must have
 */
function message(meta?: object): fc.Arbitrary<string> {
  const known = fc.constantFrom(...Object.keys(PARAMS));
  const params = (method: string): fc.Arbitrary<string> =>
    oddObject({ ...PARAMS[method], ...(meta && { _meta: meta }) }, PARAM_NAMES);
  const envelope = (method: string, given: string) => `{"jsonrpc":"2.0","id":1,"method":${quoted(method)},"params":${given}}`;
  const withOddParams = known.chain((method) => params(method).map((given) => envelope(method, given)));
  const withOddArguments = call.map((given) => envelope('tools/call', meta ? `{"_meta":${quoted(meta)},${given.slice(1)}` : given));
  const withOddEnvelope = known.chain((method) =>
    oddObject({ jsonrpc: '2.0', id: 1, method, params: { ...PARAMS[method], ...(meta && { _meta: meta }) } }, ENVELOPE),
  );
  const one = fc.oneof({ weight: 4, arbitrary: withOddParams }, { weight: 3, arbitrary: withOddArguments }, { weight: 3, arbitrary: withOddEnvelope });
  return fc.oneof(
    { weight: 6, arbitrary: one },
    { weight: 1, arbitrary: fc.array(one, { maxLength: 6 }).map((all) => `[${all.join(',')}]`) },
    { weight: 1, arbitrary: oddJson },
    { weight: 1, arbitrary: fc.tuple(one, fc.nat(400)).map(([text, at]) => text.slice(0, at)) },
  );
} // biome-ignore format: one line for each kind

type Caller = McpTarget & { readonly authorization: string };

async function openCaller(): Promise<Caller> {
  const target = await openMcp();
  return Object.assign(target, { authorization: `Bearer ${await target.token({ scope: 'mcp:tools mcp:admin' })}` });
}

const post = ({ url, authorization }: Caller, path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(url + path, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body,
  });

const ODD_HEADERS = [
  'accept',
  'mcp-protocol-version',
  'mcp-session-id',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-param-x',
  'content-type',
  'origin',
];

const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...ODD_HEADERS), headerValue.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, ''))).map(([name, value]) => ({ [name]: value })),
  },
); // biome-ignore format: one line for each kind

it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])(
  'MCP %s: odd messages in a session cause no server error',
  (revision) =>
    fuzz<[string, Record<string, string>], Caller>({
      name: `messages of ${revision}`,
      share: 450,
      open: openCaller,
      inputs: fc.tuple(message(), oddHeaders),
      send: async (on, [body, headers]) => {
        const opening = JSON.stringify({
          jsonrpc: '2.0',
          id: 0,
          method: 'initialize',
          params: { ...PARAMS.initialize, protocolVersion: revision },
        });
        const opened = await post(on, '/mcp', opening);
        const session = {
          'mcp-session-id': opened.headers.get('mcp-session-id') ?? '',
          'mcp-protocol-version': revision,
        };
        const statuses = [await statusOf(opened), await statusOf(post(on, '/mcp', body, { ...session, ...headers }))];
        const end = fetch(`${on.url}/mcp`, {
          method: 'DELETE',
          headers: { authorization: on.authorization, ...session },
        });
        return [...statuses, await statusOf(end)];
      },
    }),
);

it('MCP 2024-11-05: odd messages beside an HTTP+SSE stream cause no server error', () =>
  fuzz<string, Caller>({
    name: 'messages beside a stream',
    share: 300,
    open: openCaller,
    inputs: message(),
    send: async (on, body) => {
      const stream = await fetch(`${on.url}/sse`, {
        headers: { authorization: on.authorization, accept: 'text/event-stream' },
      });
      const reader = stream.body?.getReader();
      const text = new TextDecoder().decode((await reader?.read())?.value);
      const path = /data: (\S+)/.exec(text)?.[1] ?? '/messages';
      const status = await statusOf(post(on, path, body));
      await reader?.cancel();
      return [stream.status, status];
    },
  }));

it('MCP 2026-07-28: odd requests without a session cause no server error', () =>
  fuzz<[string, Record<string, string>], Caller>({
    name: `messages of ${STATELESS}`,
    share: 1_200,
    open: openCaller,
    inputs: fc.tuple(message(META), oddHeaders),
    send: async (on, [body, headers]) => {
      const method = /"method":"([\w/]+)"/.exec(body)?.[1] ?? 'ping';
      const name = /"(?:name|uri)":"([\x21-\x7e]+?)"/.exec(body)?.[1];
      const good = { 'mcp-protocol-version': STATELESS, 'mcp-method': method, ...(name && { 'mcp-name': name }) };
      return [await statusOf(post(on, '/mcp', body, { ...good, ...headers }))];
    },
  }));

it('RFC 8259 §8.1 bodies that are not text cause no server error', () =>
  fuzz<Uint8Array, Caller>({
    name: 'bodies of bytes',
    share: 300,
    open: openCaller,
    inputs: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.concat([Buffer.from('{"jsonrpc":"2.0","id":1,"method":"'), bytes, Buffer.from('"}')]))),
    send: async (on, body) => {
      const { authorization } = on;
      const headers = { authorization, 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
      return [await statusOf(fetch(`${on.url}/mcp`, { method: 'POST', headers, body: new Uint8Array(body) }))];
    },
  })); // biome-ignore format: one line for each kind
