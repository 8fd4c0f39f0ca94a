/**
 * Owns `npm run bench:dispatch`: the cost of a tools/call of 2026-07-28 from its parsed body to the text of its answer,
 * without a network, compared with the SDK's own handler and a low-level server.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { createLogger } from '@mcp-oauth/shared/logger';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { sharedKeys } from '../../mcp-server/src/keys/sealing-keys.ts';
import { createMeters, type Meters } from '../../mcp-server/src/metrics.ts';
import { createCatalog } from '../../mcp-server/src/protocol/catalog/catalog.ts';
import { createChanges } from '../../mcp-server/src/protocol/changes/changes.ts';
import { defineTool } from '../../mcp-server/src/protocol/define.ts';
import { createMethods } from '../../mcp-server/src/protocol/methods/method-table.ts';
import { createStateless } from '../../mcp-server/src/protocol/stateless/endpoint.ts';
import { memoryKeyRecord } from '../../mcp-server/src/storage/memory/key-record.ts';
import { NO_UPSTREAMS } from '../../mcp-server/src/upstream/upstreams.ts';
import { allowance } from '../../mcp-server/test/support/limits.ts';

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, calls: { type: 'string', default: '20000' } },
});

const PREFIX = 'io.modelcontextprotocol';
const message = (id: number) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: {
    name: 'echo',
    arguments: { message: 'Hello' },
    _meta: {
      [`${PREFIX}/protocolVersion`]: '2026-07-28',
      [`${PREFIX}/clientInfo`]: { name: 'bench', version: '1.0.0' },
      [`${PREFIX}/clientCapabilities`]: {},
    },
  },
});
const HEADERS = {
  accept: 'application/json, text/event-stream',
  'content-type': 'application/json',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'echo',
};
const serverInfo = { name: 'bench', version: '1.0.0' };
const answer = (text: string) => ({ text: `Echo: ${text}`, structured: { echoed_message: text } });

type Serve = (id: number) => Promise<string>;

/** @param meters without it, nothing is counted */
function own(meters?: Meters): Serve {
  const echo = defineTool({
    name: 'echo',
    title: 'Echo',
    description: 'Gives back the message',
    input: z.object({ message: z.string() }),
    output: z.object({ echoed_message: z.string() }),
    run: ({ message: text }) => answer(text),
  });
  const [clock, changes, log] = [{ now: () => 0 }, createChanges(), createLogger('bench', 'silent')];
  const status = async () => ({ ...serverInfo, startedAt: new Date(0), revisions: [], openSessions: 0 });
  const catalog = createCatalog([echo]);
  const offer = { catalog: () => catalog, covers: () => true, hideUnpermitted: false };
  const idle = { upstreams: NO_UPSTREAMS, pause: async () => {}, isStopping: () => false };
  const methods = createMethods({ ...offer, changes, status, clock, log, ...idle, onToolCall: meters?.onToolCall });
  const { endpoint } = createStateless({
    methods: meters?.methods(methods) ?? methods,
    parameterHeaders: () => [],
    listScope: 'public',
    serverInfo,
    keys: sharedKeys(memoryKeyRecord(), clock),
    changes,
    allowance: allowance(),
    limits: { maxSubscriptions: 1, maxSubscriptionsPerPrincipal: 1, keepAlive: 60 },
    clock,
  });
  const unused = { accessToken: '', challenge: () => {} };
  const principal = { issuer: 'i', subject: 's', clientId: 'c', scopes: new Set<string>(), expiresAt: 0, claims: {} };
  const req = { method: 'POST', headers: HEADERS } as unknown as IncomingMessage;
  return async (id) => {
    const { promise: written, resolve: end } = Promise.withResolvers<string>();
    const res = { once: () => res, writeHead: () => res, end };
    await endpoint({ ...unused, req, res: res as unknown as ServerResponse, principal, message: message(id), log });
    return written;
  };
}

function reference(): Serve {
  const handler = createMcpHandler(() => {
    const server = new Server(serverInfo, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/call', async ({ params }) => {
      const { text, structured } = answer(String(params.arguments?.message));
      return { content: [{ type: 'text', text }], structuredContent: structured };
    });
    return server;
  });
  const headers = new Headers(HEADERS);
  return async (id) => {
    const request = new Request('http://localhost/mcp', { method: 'POST', headers });
    const response = await handler.fetch(request, { parsedBody: message(id) });
    return response.text();
  };
}

const servers = {
  'mcp-server': own(),
  'mcp-server, counted': own(createMeters()),
  createMcpHandler: reference(),
};
const costs = new Map<string, number[]>(Object.keys(servers).map((name) => [name, []]));
const calls = Number(values.calls);
for (let round = 0; round <= Number(values.rounds); round += 1) {
  for (const [name, serve] of Object.entries(servers)) {
    const before = process.cpuUsage();
    for (let id = 0; id < calls; id += 1) {
      const text = await serve(id);
      if (!text.includes('Echo: Hello')) throw new Error(`${name} answered ${text}`);
    }
    const { user, system } = process.cpuUsage(before);
    // The first round warms up the compiler.
    if (round > 0) costs.get(name)?.push((user + system) / calls);
  }
}
const median = (name: string): number =>
  costs.get(name)?.toSorted((a, b) => a - b)[Math.floor(Number(values.rounds) / 2)] ?? Number.NaN;
for (const name of Object.keys(servers)) process.stdout.write(`${name}: ${median(name).toFixed(1)} µs a call\n`);
process.stdout.write(`${(median('createMcpHandler') / median('mcp-server')).toFixed(1)} ×\n`);
