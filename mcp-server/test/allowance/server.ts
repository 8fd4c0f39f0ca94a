/**
 * Owns a whole mcp-server in one process for tests of its limits: real settings, real tokens, and tools that a test
 * controls.
 */
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { scrape } from '@mcp-oauth/shared/testing/scrape';
import { z } from 'zod';
import { compose } from '../../src/compose/compose.ts';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { defineTool } from '../../src/protocol/define.ts';
import { signingKey, signToken, startIssuer } from '../support/issuer.ts';
import { call, initialize, request } from '../support/protocol-harness.ts';
import { headersOf, request as modernRequest } from '../support/stateless-harness.ts';

/** A tool whose arguments control its answer: of any length, at once or later, or not before the gate is open. */
const tools = (gate: Promise<void>) => [
  defineTool({
    name: 'say',
    title: 'Say',
    description: 'Says a lot.',
    input: z.object({ characters: z.int(), later: z.boolean().default(false) }),
    run: ({ characters, later }) => {
      const said = { text: 'x'.repeat(characters) };
      return later ? Promise.resolve(said) : said;
    },
  }),
  defineTool({
    name: 'wait',
    title: 'Wait',
    description: 'Waits for the gate.',
    input: z.object({}),
    run: () => gate.then(() => ({ text: 'open' })),
  }),
];

export interface LimitedServer extends AsyncDisposable {
  readonly url: string;
  /** One request of a person; ada by default. */
  ask(path: string, init?: RequestInit, subject?: string): Promise<Response>;
  /** The Authorization header of a person. */
  authorization(subject?: string): Promise<string>;
  /** Opens a session. */
  open(revision: string, subject?: string): Promise<string>;
  /** POST in a session. */
  post(session: string, message: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Calls a tool without a session (MCP 2026-07-28). */
  modern(name: string, args?: object, subject?: string): Promise<Response>;
  /** Ends every waiting call. */
  openGate(): void;
  /** The limits that were reached, and how often. */
  reached(): Promise<Readonly<Record<string, number>>>;
  /** The value of one metric. */
  metric(name: string): Promise<number | undefined>;
}

export const BOTH = { accept: 'application/json, text/event-stream' };
export const JSON_ONLY = { accept: 'application/json' };

export async function startLimited(settings: Readonly<Record<string, string>> = {}): Promise<LimitedServer> {
  let handler: RequestListener = () => {};
  const server = await serve((req, res) => handler(req, res));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const gate = Promise.withResolvers<void>();
  const env = { PUBLIC_URL: server.url, ISSUER: issuer.url, NODE_ENV: 'test', METRICS_PORT: '0', ...settings };
  const log = createLogger('test', 'silent');
  const service = await compose(env, { clock, log, catalog: createCatalog(tools(gate.promise)) });
  handler = service.handler;
  const tokens = new Map<string, string>();
  const tokenOf = async (sub: string): Promise<string> => {
    const now = clock.now() / 1000;
    const claims = { iss: issuer.url, aud: `${server.url}/mcp`, sub, client_id: 'client-1', scope: 'mcp:tools' };
    const token = tokens.get(sub) ?? (await signToken({ key, claims: { ...claims, iat: now, exp: now + 600 } }));
    tokens.set(sub, token);
    return token;
  };
  const ask: LimitedServer['ask'] = async (path, init = {}, subject = 'ada') =>
    fetch(server.url + path, {
      ...init,
      headers: { authorization: `Bearer ${await tokenOf(subject)}`, ...init.headers },
    });
  const json = (message: unknown, headers: Readonly<Record<string, string>>): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...BOTH, ...headers },
    body: JSON.stringify(message),
  });
  const readings = async () => (await scrape(service.metrics)).values;
  return {
    url: server.url,
    ask,
    authorization: async (subject = 'ada') => `Bearer ${await tokenOf(subject)}`,
    open: async (revision, subject) => {
      const opened = await ask('/mcp', json(initialize(revision), {}), subject);
      await opened.text();
      return opened.headers.get('mcp-session-id') ?? '';
    },
    post: (session, message, headers = {}) => ask('/mcp', json(message, { 'mcp-session-id': session, ...headers })),
    modern: (name, args = {}, subject) => {
      const message = modernRequest('tools/call', { name, arguments: args });
      return ask('/mcp', json(message, headersOf(message)), subject);
    },
    openGate: gate.resolve,
    reached: async () => {
      const found = [...(await readings())].flatMap(([name, value]) => {
        const [, limit] = /^mcp_limits_reached_total\{limit="(\w+)"\}$/.exec(name) ?? [];
        return limit && value > 0 ? [[limit, value] as const] : [];
      });
      return Object.fromEntries(found);
    },
    metric: async (name) => (await readings()).get(name),
    [Symbol.asyncDispose]: async () => {
      gate.resolve();
      service.drain();
      await server.close();
      await service.close();
      await issuer.close();
    },
  };
}

export const say = (id: number | string, characters: number, later = false) => call(id, 'say', { characters, later });
export const wait = (id: number | string) => call(id, 'wait');
export const ping = (id: number | string) => request(id, 'ping');

/** The messages of an answer so far, JSON or a stream. */
export function messagesOf(text: string): readonly Message[] {
  if (text.startsWith('{') || text.startsWith('[')) return [JSON.parse(text) as Message | Message[]].flat();
  return text.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as Message] : []));
}

export interface Message {
  readonly id?: number | string | null;
  readonly result?: { readonly content?: readonly { readonly text: string }[] };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: object };
}
