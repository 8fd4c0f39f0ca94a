/** Proves that what a tool has left running at an upstream ends when the tool returns, and can't end the process. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { type Context, defineTool } from '../../src/protocol/define.ts';
import { call, headersOf, meta } from '../support/stateless-harness.ts';
import { callTool, textOf } from './probe.ts';
import { SECRETS, type Stage, startStage } from './stage.ts';

/** When the tool returns, and what came of the request that it has left. */
let returning = Promise.withResolvers<void>();
let outcomes: string[] = [];
let context: Context | undefined;

const hasty = defineTool({
  name: 'hasty',
  title: 'Hasty',
  description: 'Returns before its request has an answer.',
  input: z.object({ asks: z.boolean().default(false) }),
  run: async ({ asks }, given) => {
    context = given;
    const left = given.fetch('github', '/slow').then((response) => response.json());
    // As a tool that never looks at it again: without a handler of its own for an error.
    left.finally(() => outcomes.push('settled'));
    await returning.promise;
    if (asks) await given.elicit('Go on?', z.object({}));
    return { text: 'returned' };
  },
});

/** What the next tool has done, and that its client has left. */
const steps = {
  begun: Promise.withResolvers<void>(),
  left: Promise.withResolvers<unknown>(),
  asks: Promise.withResolvers<void>(),
};

const forsaken = defineTool({
  name: 'forsaken',
  title: 'Forsaken',
  description: 'Sends a request and asks once its client has left.',
  input: z.object({}),
  run: async (_, { signal, fetch, elicit }) => {
    signal.addEventListener('abort', steps.left.resolve);
    steps.begun.resolve();
    await steps.left.promise;
    void fetch('github', '/late').finally(() => outcomes.push('settled'));
    steps.asks.resolve();
    await elicit('Go on?', z.object({}));
    return { text: 'never read' };
  },
});

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({}, { catalog: createCatalog([hasty, forsaken]) });
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => {
  stage.clock.advance(61);
  stage.accounts.set('ada', SECRETS.ofAda);
  stage.called.length = 0;
  outcomes = [];
  returning = Promise.withResolvers();
});

async function connected(capabilities = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '0' }, { capabilities });
  const requestInit = { headers: { authorization: `Bearer ${await stage.token('ada')}` } };
  const transport = new StreamableHTTPClientTransport(new URL(`${stage.url}/mcp`), { requestInit });
  await client.connect(transport as Parameters<Client['connect']>[0]);
  return client;
}

async function inSession(): Promise<string> {
  const client = await connected();
  const result = await client.callTool({ name: 'hasty', arguments: {} });
  await client.close();
  return textOf({ result });
}

const alone = async (): Promise<string> => textOf((await callTool(stage, 'hasty')).body);

describe('a tool that returns early', () => {
  it.each([
    ['2025-11-25', 'has no answer yet', inSession],
    ['2026-07-28', 'has no answer yet', alone],
    ['2025-11-25', 'has half of its answer', inSession],
    ['2026-07-28', 'has half of its answer', alone],
  ])('MCP %s: a request that %s ends with the call, and no error of it is left unhandled', async (_, state, run) => {
    const closed = Promise.withResolvers<void>();
    stage.paths.set('/slow', () => ({
      status: 200,
      begun: (res: ServerResponse) => {
        res.once('close', closed.resolve);
        if (state === 'has no answer yet') returning.resolve();
        else res.writeHead(200).write('{', () => returning.resolve());
      },
    }));
    expect(await run()).toBe('returned');
    await closed.promise;
    await new Promise(setImmediate);
    expect(outcomes).toEqual([]);
  });

  it('MCP 2026-07-28 basic/patterns/mrtr: a request that goes on while a question ends the run ends too, and no error is left unhandled', async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    stage.paths.set('/slow', () => ({ status: 200, begun: begun.resolve }));
    const capabilities = { elicitation: { form: {} } };
    const asking = callTool(stage, 'hasty', { asks: true }, { capabilities });
    const closed = once(await begun.promise, 'close');
    returning.resolve();
    expect((await asking).body.result.resultType).toBe('input_required');
    await closed;
    await new Promise(setImmediate);
    expect(outcomes).toEqual([]);
  });

  it('MCP 2026-07-28 basic/patterns/mrtr: an answer that is none ends the run and a request beside it, and no error is left unhandled', async () => {
    const capabilities = { elicitation: { form: {} } };
    returning.resolve();
    const first = await callTool(stage, 'hasty', { asks: true }, { capabilities });
    const { inputRequests, requestState } = first.body.result;
    returning = Promise.withResolvers();
    const begun = Promise.withResolvers<ServerResponse>();
    stage.paths.set('/slow', () => ({ status: 200, begun: begun.resolve }));
    const [key = ''] = Object.keys(inputRequests);
    const more = { inputResponses: { [key]: { roots: [] } }, requestState };
    const answered = callTool(stage, 'hasty', { asks: true }, { capabilities, more });
    const closed = once(await begun.promise, 'close');
    returning.resolve();
    expect((await answered).body.error?.message).toMatch(/is not an answer to elicitation/);
    await closed;
    await new Promise(setImmediate);
    expect(outcomes).toEqual([]);
  });

  it('MCP 2026-07-28 basic/patterns/mrtr: a tool that asks after its client has left goes on no more, and no error is left unhandled', async () => {
    const message = call('forsaken', {}, { _meta: meta({}, { elicitation: { form: {} } }) });
    const headers = { ...headersOf(message), authorization: `Bearer ${await stage.token('ada')}` };
    const client = new AbortController();
    const { signal } = client;
    const asked = fetch(`${stage.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message), signal });
    await steps.begun.promise;
    client.abort();
    await expect(asked).rejects.toThrow('aborted');
    await steps.asks.promise;
    // A request of another call takes longer than one that fails now.
    stage.paths.set('/slow', () => ({ status: 200, begun: () => returning.resolve() }));
    await alone();
    expect(outcomes).toEqual([]);
  });

  it('a client that leaves while a tool awaits something else leaves no error of a request unhandled', async () => {
    const sent = Promise.withResolvers<ServerResponse>();
    stage.paths.set('/slow', () => ({ status: 200, begun: sent.resolve }));
    const client = await connected();
    const cancelling = new AbortController();
    const calling = client.callTool({ name: 'hasty', arguments: {} }, undefined, { signal: cancelling.signal });
    const closed = once(await sent.promise, 'close');
    cancelling.abort();
    await expect(calling).rejects.toThrow();
    await closed;
    await new Promise(setImmediate);
    returning.resolve();
    await client.close();
    expect(outcomes).toEqual(['settled']);
  });

  it('a request that begins after the tool has returned is not sent', async () => {
    stage.paths.set('/slow', () => ({ status: 200, begun: () => returning.resolve() }));
    await alone();
    stage.called.length = 0;
    void context?.fetch('github', '/late').finally(() => outcomes.push('settled'));
    // A request of another call takes longer than one that would be sent now.
    returning = Promise.withResolvers();
    await alone();
    expect([stage.called.map(({ url }) => url), outcomes]).toEqual([['/slow'], []]);
  });

  it('MCP 2025-11-25 client/elicitation: the question that connects the account is withdrawn when the tool has returned', async () => {
    stage.accounts.clear();
    const withdrawn = Promise.withResolvers<void>();
    const client = await connected({ elicitation: { url: {} } });
    client.setRequestHandler(ElicitRequestSchema, async (__, { signal }) => {
      signal.addEventListener('abort', () => withdrawn.resolve());
      returning.resolve();
      await withdrawn.promise;
      return { action: 'accept' };
    });
    expect(textOf({ result: await client.callTool({ name: 'hasty', arguments: {} }) })).toBe('returned');
    await withdrawn.promise;
    await client.close();
  });
});
