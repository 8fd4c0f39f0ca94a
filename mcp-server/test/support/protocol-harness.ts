/** Owns the smallest app around the MCP endpoints for tests: the bearer token is the name of a known principal. */
import { text } from 'node:stream/consumers';
import { createLogger, type Logger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve, type TestServer } from '@mcp-oauth/shared/testing/listen';
import Koa, { type Middleware } from 'koa';
import type { AllowanceLimits } from '../../src/allowance/allowance.ts';
import type { Principal } from '../../src/authorization/principal.ts';
import type { Revocations } from '../../src/authorization/status/reference.ts';
import { type Catalog, createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { findBuiltIn } from '../../src/protocol/catalog/files/load.ts';
import { createMethods } from '../../src/protocol/methods/method-table.ts';
import {
  createSessionful,
  type Sessionful,
  type SessionfulDependencies,
} from '../../src/protocol/sessionful/endpoints.ts';
import type { SessionStorage } from '../../src/sessions/ports.ts';
import { createMemoryStorage } from '../../src/storage/memory/storage.ts';
import { NO_UPSTREAMS } from '../../src/upstream/upstreams.ts';
import { allowance } from './limits.ts';
import { noChallenge } from './request-parts.ts';
import { NOTHING_REVOKED } from './revocations.ts';

const HOUR = 3_600;

const person = (subject: string, clientId: string, ...scopes: string[]): Principal => ({
  issuer: 'https://as.example',
  subject,
  clientId,
  scopes: new Set(['mcp:tools', ...scopes]),
  expiresAt: new FakeClock().now() / 1000 + HOUR,
  claims: {},
});

export const principals: Readonly<Record<string, Principal>> = {
  ada: person('ada', 'inspector'),
  'ada-later': { ...person('ada', 'inspector'), expiresAt: new FakeClock().now() / 1000 + 10 * HOUR },
  'ada-elsewhere': person('ada', 'editor'),
  'ada-at-another-issuer': { ...person('ada', 'inspector'), issuer: 'https://other.example' },
  'ada-admin': person('ada', 'inspector', 'mcp:admin'),
  bob: person('bob', 'inspector'),
};

export interface TestMcp extends AsyncDisposable {
  readonly url: string;
  readonly endpoints: Sessionful;
  readonly clock: FakeClock;
  /** Every log line, as written. */
  readonly lines: string[];
  readonly server: TestServer;
}

/** The definitions of the product itself. */
export const builtInSources = await findBuiltIn(new URL('../../src/', import.meta.url));
export const definitions = builtInSources.map(({ value }) => value);
export const builtIn: Catalog = createCatalog(definitions);

/** The name and version that the server sends to clients. */
export const SERVER_INFO = { name: 'test', title: 'Test', version: '1.2.3' };

export interface McpOptions {
  /** For the model of the client. */
  readonly instructions?: string;
  readonly catalog?: Catalog;
  readonly limits?: Partial<SessionfulDependencies['limits']>;
  readonly allowed?: Partial<AllowanceLimits>;
  /** Absent: nothing is. */
  readonly revocations?: Revocations;
  /** Stands between the server and its storage. */
  readonly layer?: (storage: SessionStorage) => SessionStorage;
}

export async function startMcp(options: McpOptions = {}): Promise<TestMcp> {
  const { catalog = builtIn, limits = {}, allowed = {}, layer = (storage) => storage } = options;
  const time = new FakeClock();
  const lines: string[] = [];
  const log = createLogger('test', 'debug', { write: (line: string) => void lines.push(line) });
  const status = async () => ({
    name: 'test',
    version: '1.2.3',
    startedAt: new Date(time.now()),
    revisions: ['2025-11-25'],
    openSessions: await storage.store.count(),
  });
  const all = {
    idleTimeout: 600,
    lifetime: 86_400,
    maxSessions: 1_000,
    maxSessionsPerPrincipal: 500,
    keepAlive: 3_600,
    ...limits,
  };
  const budgets = { sessionBytes: 8_388_608, personBytes: 16_777_216, totalBytes: 134_217_728 };
  const storage = createMemoryStorage(time, all, {
    events: 1_000,
    bytes: 1_048_576,
    keepOpen: 600,
    keepOver: 300,
    over: 32,
    ...budgets,
  })();
  const methods = createMethods({
    upstreams: NO_UPSTREAMS,
    pause: async () => {},
    isStopping: () => false,
    catalog: () => catalog,
    covers: (held, needed) => needed.every((scope) => held.has(scope)),
    hideUnpermitted: false,
    changes: { announce: (change) => endpoints.changes.announce(change) },
    status,
    clock: time,
    log,
  });
  const endpoints: Sessionful = await createSessionful({
    methods,
    publicUrl: 'http://localhost',
    serverInfo: SERVER_INFO,
    instructions: options.instructions,
    storage: layer(storage),
    limits: { ...all, ...budgets },
    allowance: allowance(allowed),
    revocations: options.revocations ?? NOTHING_REVOKED,
    clock: time,
    log,
  });
  const app = new Koa<State>();
  app.use(authorize(log)).use(route(endpoints));
  const server = await serve(app.callback());
  const close = async () => {
    endpoints.drain();
    await endpoints.close();
    await server.close();
  };
  return { url: server.url, endpoints, clock: time, lines, server, [Symbol.asyncDispose]: close };
}

interface State {
  principal: Principal;
  log: Logger;
}

const authorize =
  (log: Logger): Middleware<State> =>
  async (ctx, next) => {
    const name = ctx.get('Authorization').replace('Bearer ', '') || 'ada';
    const principal = principals[name];
    if (!principal) return ctx.throw(401);
    ctx.state.principal = principal;
    ctx.state.log = log;
    await next();
  };

const route =
  (endpoints: Sessionful): Middleware<State> =>
  async (ctx) => {
    const { principal, log } = ctx.state;
    const message = ctx.method === 'POST' ? JSON.parse(await text(ctx.req)) : undefined;
    const given = { ...noChallenge, req: ctx.req, res: ctx.res, principal, message, log };
    ctx.respond = false;
    if (ctx.path === '/messages') return endpoints.sseMessage(given);
    const opens = ctx.path === '/sse' && ctx.method === 'GET' && !ctx.get('Mcp-Session-Id');
    return opens ? endpoints.sseStream(given) : endpoints.streamable(given);
  };

export interface Send {
  readonly as?: string;
  readonly session?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly signal?: AbortSignal;
}

const held: Response[] = [];

/** Keeps a stream open that a test does not read: `fetch` closes it when the answer is garbage-collected. */
export async function hold(answer: Promise<Response>): Promise<Response> {
  const response = await answer;
  if (response.headers.get('content-type') === 'text/event-stream') held.push(response);
  return response;
}

/** One raw request with valid headers by default. */
export function send(url: string, message: unknown, options: Send = {}): Promise<Response> {
  const { as = 'ada', session, method = 'POST', headers = {}, path = '/mcp', signal } = options;
  const answer = fetch(`${url}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${as}`,
      Accept: method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream',
      ...(message !== undefined && { 'Content-Type': 'application/json' }),
      ...(session && { 'Mcp-Session-Id': session }),
      ...headers,
    },
    ...(message !== undefined && { body: typeof message === 'string' ? message : JSON.stringify(message) }),
    ...(signal && { signal }),
  });
  return hold(answer);
}

export const request = (id: string | number, method: string, params?: object) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params && { params }),
});

export const call = (id: string | number, name: string, args: object = {}, more: object = {}) =>
  request(id, 'tools/call', { name, arguments: args, ...more });

export const initialize = (protocolVersion = '2025-11-25', capabilities: object = {}) =>
  request('init', 'initialize', { protocolVersion, capabilities, clientInfo: { name: 'raw', version: '0' } });

/** Opens a session and returns its id. */
export async function openSession(url: string, as = 'ada', version = '2025-11-25', capabilities = {}): Promise<string> {
  const response = await send(url, initialize(version, capabilities), { as });
  await response.text();
  const id = response.headers.get('Mcp-Session-Id');
  if (!id) throw new Error(`no session: ${response.status}`);
  return id;
}

export interface Frame {
  readonly event: string;
  readonly data: string;
  readonly id: string;
}

/** Reads frames of an event stream one by one, with comments; events that only have an id are left out. */
export async function* frames(response: Response): AsyncGenerator<Frame | string> {
  let rest = '';
  for await (const chunk of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
    const parts = (rest + chunk).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      if (part.startsWith(':')) yield part;
      const [event = '', data = '', id = ''] = ['event', 'data', 'id'].map((name) => field(part, name));
      if (!part.startsWith(':') && data) yield { event, data, id };
    }
  }
}

const field = (frame: string, name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(frame)?.[1];

// biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
export const json = (response: Response): Promise<any> => response.json();

/** The JSON-RPC messages of an event stream, as they arrive. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
export async function* messagesOf(response: Response): AsyncGenerator<any> {
  for await (const frame of frames(response)) if (typeof frame !== 'string') yield JSON.parse(frame.data);
}

/** The JSON-RPC messages of an event stream, until it ends. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into messages of every shape
export const messages = (response: Response): Promise<any[]> => Array.fromAsync(messagesOf(response));
