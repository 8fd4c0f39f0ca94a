/** Owns the smallest server around the endpoint of 2026-07-28 for tests: the bearer token is the name of a person. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import { sharedKeys } from '../../src/keys/sealing-keys.ts';
import type { Call, Method, Methods } from '../../src/protocol/call.ts';
import { type Changes, createChanges } from '../../src/protocol/changes/changes.ts';
import { createStateless, type Stateless, type StatelessDependencies } from '../../src/protocol/stateless/endpoint.ts';
import { parameterHeaders } from '../../src/protocol/wire/parameter-headers.ts';
import { memoryKeyRecord } from '../../src/storage/memory/key-record.ts';
import { allowance } from './limits.ts';
import { hold, json, principals } from './protocol-harness.ts';
import { noChallenge } from './request-parts.ts';

export const SERVER_INFO = { name: 'test', title: 'Test', version: '1.2.3' };

export interface TestTool {
  readonly inputSchema?: object;
  run(given: Record<string, unknown>, call: Call): unknown;
}

export interface TestStateless extends AsyncDisposable {
  readonly url: string;
  readonly stateless: Stateless;
  readonly clock: FakeClock;
  readonly changes: Changes;
  /** Every log line, as written. */
  readonly lines: string[];
}

/** Methods without a catalog behind them. */
export function methodsOf(
  tools: Readonly<Record<string, TestTool>>,
  more: Readonly<Record<string, Method>> = {},
): Methods {
  const list = {
    tools: Object.entries(tools).map(([name, { inputSchema }]) => ({
      name,
      inputSchema: inputSchema ?? { type: 'object' },
    })),
  };
  return new Map<string, Method>([
    ['tools/list', () => list],
    [
      'tools/call',
      ({ name, arguments: given }, call) => tools[String(name)]?.run((given ?? {}) as Record<string, unknown>, call),
    ],
    ...Object.entries(more),
  ]);
}

export type Options = Partial<Omit<StatelessDependencies, 'limits'>> & {
  readonly limits?: Partial<StatelessDependencies['limits']>;
  readonly tools?: Readonly<Record<string, TestTool>>;
};

export async function startStateless({ tools = {}, limits = {}, ...parts }: Options = {}): Promise<TestStateless> {
  const lines: string[] = [];
  const log = createLogger('test', 'debug', { write: (line: string) => void lines.push(line) });
  const declared = new Map(
    Object.entries(tools).map(([name, { inputSchema = {} }]) => [name, parameterHeaders(inputSchema)]),
  );
  const clock = new FakeClock();
  const changes = createChanges();
  const stateless = createStateless({
    methods: methodsOf(tools),
    serverInfo: SERVER_INFO,
    listScope: 'public',
    parameterHeaders: (tool) => declared.get(tool) ?? [],
    keys: sharedKeys(memoryKeyRecord(), clock),
    clock,
    changes,
    allowance: allowance(),
    ...parts,
    limits: { maxSubscriptions: 100, maxSubscriptionsPerPrincipal: 50, keepAlive: 3_600, ...limits },
  });
  const answer = async (req: IncomingMessage, res: ServerResponse) => {
    const principal = principals[req.headers.authorization?.replace('Bearer ', '') ?? 'ada'];
    if (!principal) return res.writeHead(401).end();
    const body = await text(req);
    const request = { ...noChallenge, req, res, principal, message: body && JSON.parse(body), log };
    if (!stateless.handles(request)) return res.writeHead(421, 'of the other era').end();
    return stateless.endpoint(request);
  };
  const server = await serve((req, res) => void answer(req, res));
  const close = async () => {
    stateless.drain();
    await stateless.close();
    await server.close();
  };
  return { url: server.url, stateless, clock, changes, lines, [Symbol.asyncDispose]: close };
}

export const meta = (more: object = {}, capabilities: object = {}) => ({
  [PROTOCOL_VERSION_META_KEY]: '2026-07-28',
  [CLIENT_INFO_META_KEY]: { name: 'raw', version: '0' },
  [CLIENT_CAPABILITIES_META_KEY]: capabilities,
  ...more,
});

/** A valid request as a careful client writes it. */
export const request = (method: string, params: object = {}, id: string | number = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params: { _meta: meta(), ...params },
});

export const call = (name: string, given: object = {}, more: object = {}) =>
  request('tools/call', { name, arguments: given, ...more });

interface Message {
  readonly method?: unknown;
  readonly params?: object;
}

/** The headers that mirror a message; a header that is `undefined` in `more` is left out. */
export function headersOf(message: Message, more: Readonly<Record<string, string | undefined>> = {}) {
  const { name, uri } = (message.params ?? {}) as { name?: unknown; uri?: unknown };
  const named = name ?? uri;
  const all = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': String(message.method),
    ...(typeof named === 'string' && { 'mcp-name': named }),
    ...more,
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

export interface Sent {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

export const post = (url: string, message: unknown, { headers = {}, signal }: Sent = {}): Promise<Response> =>
  hold(
    fetch(url, {
      method: 'POST',
      headers: headersOf((Array.isArray(message) ? message[0] : message) as Message, headers),
      body: JSON.stringify(message),
      ...(signal && { signal }),
    }),
  );

/** The status and the message of a JSON answer. */
export async function answerTo(url: string, message: unknown, sent: Sent = {}) {
  const response = await post(url, message, sent);
  const body = response.headers.get('content-type') === 'application/json' ? await json(response) : undefined;
  return { status: response.status, body };
}
