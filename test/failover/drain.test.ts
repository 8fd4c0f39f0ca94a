/**
 * Proves that a stopping replica waits for the answers to its own questions: the client answers at another replica, and
 * gets the result of its call, over each transport (MCP client/elicitation).
 */
import { once } from 'node:events';
import { hasRedis, NEEDS_REDIS } from '@mcp-oauth/shared/testing/redis';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fleet, startFleet } from './fleet.ts';

const capabilities = { elicitation: {} };
const confirm = { name: 'confirm', arguments: { question: 'Really?' } };

type Answer = () => Promise<{ action: 'accept'; content: { confirmed: true } }>;

interface Asked {
  call(): Promise<{ structuredContent?: unknown }>;
  close(): Promise<void>;
}

async function v1(transport: Transport, answer: Answer): Promise<Asked> {
  const client = new Client({ name: 'v1', version: '0' }, { capabilities });
  client.setRequestHandler(ElicitRequestSchema, answer);
  await client.connect(transport);
  return { call: () => client.callTool(confirm) as ReturnType<Asked['call']>, close: () => client.close() };
}

async function v2(transport: ModernTransport, answer: Answer): Promise<Asked> {
  const client = new ModernClient(
    { name: 'v2', version: '0' },
    { capabilities, versionNegotiation: { mode: 'legacy' } },
  );
  client.setRequestHandler('elicitation/create', answer);
  await client.connect(transport);
  return { call: () => client.callTool(confirm) as ReturnType<Asked['call']>, close: () => client.close() };
}

describe.skipIf(!hasRedis)(hasRedis ? 'a stop while a question is open' : NEEDS_REDIS, () => {
  let fleet: Fleet;
  beforeAll(async () => {
    fleet = await startFleet(2, { env: { SHUTDOWN_LINGER: '1s', SHUTDOWN_TIMEOUT: '30s' } });
  });
  afterAll(() => fleet[Symbol.asyncDispose]());

  const open: Readonly<Record<string, (init: { requestInit: RequestInit }, answer: Answer) => Promise<Asked>>> = {
    'SDK v1 over Streamable HTTP': (init, answer) =>
      v1(new StreamableHTTPClientTransport(fleet.url, init) as Transport, answer),
    'SDK v1 over HTTP+SSE': (init, answer) => v1(new SSEClientTransport(new URL('/sse', fleet.url), init), answer),
    'SDK v2 with a session': (init, answer) => v2(new ModernTransport(fleet.url, init), answer),
  };

  it.each(Object.entries(open))(
    'a question that is open while its replica stops is still answered: %s',
    async (name, connect) => {
      const old = fleet.replicas.slice(-2);
      await Promise.all([fleet.add(), fleet.add()]);
      const asked = new EventTarget();
      const isAsked = once(asked, 'asked');
      const mayAnswer = Promise.withResolvers<void>();
      const client = await connect(
        { requestInit: { headers: { authorization: `Bearer ${await fleet.token(name)}` } } },
        async () => {
          asked.dispatchEvent(new Event('asked'));
          await mayAnswer.promise;
          return { action: 'accept', content: { confirmed: true } };
        },
      );
      // The call goes to one of the two replicas that are stopped.
      const ports = fleet.balancer.ports.splice(2);
      const result = client.call();
      await isAsked;
      fleet.balancer.ports.push(...ports);
      const stopped = old.map(({ run }) => run.stop());
      await Promise.all(old.map(({ run }) => run.says('"msg":"draining"')));
      mayAnswer.resolve();
      expect((await result).structuredContent).toEqual({ answer: 'yes' });
      for (const { code, output } of await Promise.all(stopped)) {
        expect(code).toBe(0);
        expect(output).toContain('"cutOff":0,"msg":"drained"');
      }
      fleet.balancer.ports.splice(0, 2);
      expect(old.map(({ run }) => /"running":(\d+)/.exec(run.output)?.[1]).sort()).toEqual(['0', '1']);
      await client.close();
    },
  );
});
