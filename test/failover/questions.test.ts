/**
 * Proves that a question and its answer match although every request goes to the next replica: elicitation and
 * sampling, in every era and with both SDKs (MCP client/elicitation, client/sampling; 2026-07-28 basic/patterns/mrtr).
 */

import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.ts';

/** Odd, and coprime to the requests of a call, so that question and answer meet every pair of replicas. */
const CALLS = 12;

const capabilities = { elicitation: {}, sampling: {} };
const thought = { role: 'assistant' as const, model: 'm', content: { type: 'text' as const, text: 'hm' } };
const yes = { action: 'accept' as const, content: { confirmed: true } };

interface Asked {
  call(name: string, args: object): Promise<{ structuredContent?: unknown }>;
  close(): Promise<void>;
}

async function v1(transport: Transport): Promise<Asked> {
  const client = new Client({ name: 'v1', version: '0' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, () => yes);
  client.setRequestHandler(CreateMessageRequestSchema, () => thought);
  await client.connect(transport);
  return {
    call: (name, args) => client.callTool({ name, arguments: { ...args } }) as ReturnType<Asked['call']>,
    close: () => client.close(),
  };
}

async function v2(url: URL, headers: Record<string, string>, pin: string): Promise<Asked> {
  const mode = pin < '2026' ? ('legacy' as const) : { pin };
  const client = new ModernClient({ name: 'v2', version: '0' }, { capabilities, versionNegotiation: { mode } });
  client.setRequestHandler('elicitation/create', () => yes);
  client.setRequestHandler('sampling/createMessage', () => thought);
  await client.connect(new ModernTransport(url, { requestInit: { headers } }));
  return {
    call: (name, args) => client.callTool({ name, arguments: { ...args } }) as ReturnType<Asked['call']>,
    close: () => client.close(),
  };
}

describe.skipIf(!hasRedis)(hasRedis ? 'questions across replicas' : NEEDS_REDIS, () => {
  let fleet: Fleet;
  let headers: Record<string, string>;
  beforeAll(async () => {
    fleet = await startFleet(3);
    headers = { authorization: `Bearer ${await fleet.token('ada')}` };
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  const clients: Readonly<Record<string, () => Promise<Asked>>> = {
    'SDK v1 over Streamable HTTP': () =>
      v1(new StreamableHTTPClientTransport(fleet.url, { requestInit: { headers } }) as Transport),
    'SDK v1 over HTTP+SSE': () =>
      v1(
        new SSEClientTransport(new URL('/sse', fleet.url), {
          requestInit: { headers },
          eventSourceInit: { fetch: (url, init) => fetch(url, { ...init, headers: { ...init?.headers, ...headers } }) },
        }),
      ),
    'SDK v2 with a session': () => v2(fleet.url, headers, '2025-11-25'),
    'SDK v2 without one (2026-07-28)': () => v2(fleet.url, headers, '2026-07-28'),
  };

  it.each(Object.entries(clients))('%s: gets the question, answers, and gets the result', async (_, open) => {
    const client = await open();
    const results = [];
    for (let n = 0; n < CALLS; n += 1) {
      const [confirmed, pondered] = [
        await client.call('confirm', { question: 'Really?' }),
        await client.call('ponder', { label: 'x' }),
      ];
      results.push([confirmed.structuredContent, pondered.structuredContent]);
    }
    expect(results).toEqual(Array(CALLS).fill([{ answer: 'yes' }, { thought: 'hm' }]));
    await client.close();
  });
});
