/** Owns an MCP server without a sign-in, of both eras, whose only tool does what a test says: it asks the client, fails, or hangs. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

type Message = Readonly<Record<string, unknown>>;

interface ToolCall {
  /** Counted from 1. */
  readonly round: number;
  /** Of the request of 2026-07-28: what the client answered in the last round. */
  readonly responses: Readonly<Record<string, Message>> | undefined;
  /** The parameters of the call. */
  readonly params: Message;
  /** Sends a request to the client, before 2026-07-28. @returns its response: a result or an error */
  readonly ask: (method: string, params: Message) => Promise<Message>;
  /** Sends a notification on the stream of the session, before 2026-07-28. */
  readonly notify: (method: string, params: Message) => void;
}

/** @returns `result` or `error` of the response; undefined: there is never one */
export type Tool = (call: ToolCall) => Promise<Message | undefined>;

export interface AskingServer extends AsyncDisposable {
  readonly url: string;
  /** The messages of the client that are no responses, and the HTTP methods without a message. */
  readonly heard: { readonly method: string; readonly params?: Message }[];
  /** Whether the end of a session is never answered. */
  clings: boolean;
  /** Resolves when the client sends this method. */
  hears(method: string): Promise<void>;
}

const STATELESS = '2026-07-28';
const CACHE = { ttlMs: 0, cacheScope: 'private' };
const TOOLS = { ...CACHE, tools: [{ name: 'roll', inputSchema: { type: 'object', properties: {} } }] };

/** @param revision the only one that the server speaks */
export async function startAskingServer(revision: string, tool: Tool): Promise<AskingServer> {
  const heard: AskingServer['heard'] = [];
  const waiting: { readonly method: string; readonly resolve: () => void }[] = [];
  const responses = new Map<unknown, (response: Message) => void>();
  let stream: ServerResponse | undefined;
  let round = 0;

  const note = (method: string, params?: Message) => {
    heard.push({ method, ...(params && { params }) });
    for (const { resolve } of waiting.filter((wait) => wait.method === method)) resolve();
  };
  const event = (to: ServerResponse | undefined, message: Message) =>
    to?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);

  const results: Readonly<Record<string, Message>> = {
    initialize: { protocolVersion: revision, capabilities: { tools: {} }, serverInfo: { name: 'Dice', version: '1' } },
    'tools/list': TOOLS,
    ...(revision === STATELESS && {
      'server/discover': { ...CACHE, supportedVersions: [revision], capabilities: { tools: {} } },
    }),
  };

  async function post(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { id, method, params, jsonrpc: _, ...rest } = JSON.parse(await text(req));
    if (method === undefined) responses.get(id)?.(rest);
    else note(method, params);
    if (id === undefined || method === undefined) return void res.writeHead(202).end();
    if (method !== 'tools/call') {
      const result = results[method];
      const none = { error: { code: -32601, message: 'Method not found' } };
      res.writeHead(200, {
        'content-type': 'application/json',
        ...(method === 'initialize' && { 'mcp-session-id': 'one' }),
      });
      const body = result ? { result: { resultType: 'complete', ...result } } : none;
      return void res.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    }
    res.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    round += 1;
    const answer = await tool({
      round,
      params,
      responses: params.inputResponses,
      ask: (asked, given) => {
        const key = randomUUID();
        event(res, { id: key, method: asked, params: given });
        return new Promise((resolve) => responses.set(key, resolve));
      },
      notify: (told, given) => event(stream, { method: told, params: given }),
    });
    if (!answer) return;
    const isResult = answer.error === undefined;
    event(res, { id, ...(isResult ? { result: { resultType: 'complete', ...answer } } : answer) });
    res.end();
  }

  const server = createServer(async (req, res) => {
    if (req.method === 'POST') return post(req, res);
    note(req.method ?? '');
    if (req.method === 'DELETE' && asking.clings) return;
    if (req.method !== 'GET' || revision === STATELESS)
      return void res.writeHead(req.method === 'DELETE' ? 200 : 405).end();
    stream = res.writeHead(200, { 'content-type': 'text/event-stream' });
    stream.flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const asking: AskingServer = {
    clings: false,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    heard,
    hears: (method) =>
      heard.some((message) => message.method === method)
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push({ method, resolve })),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return asking;
}

export const said = (text: string): Message => ({ content: [{ type: 'text', text }] });
