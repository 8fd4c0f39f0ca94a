/**
 * Proves that the client of the SDK's second generation, pinned to 2026-07-28, works with the product's own catalog.
 */

import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../../src/protocol/catalog/catalog.ts';
import { type Changes, createChanges } from '../../../src/protocol/changes/changes.ts';
import { defineTool } from '../../../src/protocol/define.ts';
import { createMethods } from '../../../src/protocol/methods/method-table.ts';
import { NO_UPSTREAMS } from '../../../src/upstream/upstreams.ts';
import { definitions } from '../../support/protocol-harness.ts';
import { startStateless, type TestStateless } from '../../support/stateless-harness.ts';

const survey = defineTool({
  name: 'survey',
  title: 'Survey',
  description: 'Asks for a name, for folders and a greeting, and then whether that was well done.',
  input: z.object({}),
  run: async (_, { elicit, sample, roots }) => {
    const [who, greeting, folders] = await Promise.all([
      elicit('Who are you?', z.object({ name: z.string() })),
      sample({ messages: [{ role: 'user', content: { type: 'text', text: 'Greet' } }], maxTokens: 10 }),
      roots(),
    ]);
    const well = await elicit('Well done?', z.object({ yes: z.boolean() }));
    return { text: JSON.stringify([who, greeting.content, folders, well]) };
  },
});

const regional = defineTool({
  name: 'regional',
  title: 'Regional',
  description: 'Works in a region.',
  input: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }), share: z.boolean().optional() }),
  run: ({ region }) => ({ text: region }),
});

const chatty = defineTool({
  name: 'chatty',
  title: 'Chatty',
  description: 'Says something at every level.',
  input: z.object({}),
  run: async (_, { log }) => {
    for (const level of ['debug', 'info', 'error'] as const) await log(level, `as ${level}`);
    return { text: 'said' };
  },
});

let server: TestStateless;
let changes: Changes;
beforeAll(async () => {
  const catalog = createCatalog([...definitions, survey, regional, chatty]);
  changes = createChanges();
  const clock = new FakeClock();
  const methods = createMethods({
    upstreams: NO_UPSTREAMS,
    pause: async () => {},
    isStopping: () => false,
    catalog: () => catalog,
    covers: (held, needed) => needed.every((scope) => held.has(scope)),
    hideUnpermitted: false,
    changes,
    status: async () => ({
      name: 'test',
      version: '1',
      startedAt: new Date(clock.now()),
      revisions: [],
      openSessions: 0,
    }),
    clock,
    log: createLogger('test', 'silent'),
  });
  server = await startStateless({
    methods,
    changes,
    clock,
    parameterHeaders: (tool) => catalog.tools.find(tool)?.headers ?? [],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

const everything = { elicitation: { form: {} }, sampling: {}, roots: {} };

async function connect(capabilities: object = everything): Promise<Client> {
  const client = new Client(
    { name: 'modern', version: '0' },
    { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: { Authorization: 'Bearer ada' } },
    }),
  );
  return client;
}

const textOf = (result: unknown) => (result as { content: [{ text: string }] }).content[0].text;

describe('SDK v2 client, MCP 2026-07-28', () => {
  it('a client discovers, lists and calls', async () => {
    const client = await connect();
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(client.getServerVersion()).toMatchObject({ name: 'test' });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['chatty', 'echo', 'survey']));
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(result.structuredContent).toEqual({ echoed_message: 'hello' });
    await client.close();
  });

  it('a client reads resources, gets prompts and completes', async () => {
    const client = await connect();
    const { resources } = await client.listResources();
    const { contents } = await client.readResource({ uri: resources[0]?.uri ?? '' });
    expect(contents).toHaveLength(1);
    await client.listResourceTemplates();
    const { prompts } = await client.listPrompts();
    const name = prompts[0]?.name ?? '';
    const [argument] = prompts[0]?.arguments ?? [];
    const { messages } = await client.getPrompt({ name, arguments: {} });
    expect(messages.length).toBeGreaterThan(0);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name },
      argument: { name: argument?.name ?? '', value: '' },
    });
    expect(completion.values).toBeInstanceOf(Array);
    await client.close();
  });

  it("a client answers a tool's questions, over two rounds, with all three kinds of question", async () => {
    const client = await connect();
    const asked: string[] = [];
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message);
      return { action: 'accept', content: params.message === 'Well done?' ? { yes: true } : { name: 'Ada' } };
    });
    client.setRequestHandler('sampling/createMessage', () => {
      asked.push('model');
      return { role: 'assistant', content: { type: 'text', text: 'Hi' }, model: 'm' };
    });
    client.setRequestHandler('roots/list', () => {
      asked.push('roots');
      return { roots: [{ uri: 'file:///home' }] };
    });
    const text = textOf(await client.callTool({ name: 'survey', arguments: {} }));
    expect(JSON.parse(text)).toEqual([
      { action: 'accept', content: { name: 'Ada' } },
      { type: 'text', text: 'Hi' },
      [{ uri: 'file:///home' }],
      { action: 'accept', content: { yes: true } },
    ]);
    expect(asked.toSorted()).toEqual(['Well done?', 'Who are you?', 'model', 'roots']);
    await client.close();
  });

  it('a client is told which capability is missing', async () => {
    const client = await connect({});
    const refused = client.callTool({ name: 'survey', arguments: {} });
    await expect(refused).rejects.toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { elicitation: { form: {} } } },
    });
    await client.close();
  });

  it('a client repeats arguments in headers, once it has read the list', async () => {
    const client = await connect();
    await client.listTools();
    for (const region of ['eu', ' padded ', 'Grüße']) {
      expect(textOf(await client.callTool({ name: 'regional', arguments: { region } }))).toBe(region);
    }
    await client.close();
  });

  it('a client gets progress, and log messages at the level of its request', async () => {
    const client = await connect();
    const progress: number[] = [];
    const onprogress = ({ progress: step }: { progress: number }) => void progress.push(step);
    await client.callTool({ name: 'countdown', arguments: { from: 3, interval_ms: 0 } }, { onprogress });
    expect(progress).toEqual([0, 1, 2, 3]);
    const logged: string[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => void logged.push(params.level));
    await client.callTool({ name: 'chatty', arguments: {} });
    expect(logged).toEqual([]);
    await client.callTool({ name: 'chatty', arguments: {}, _meta: { 'io.modelcontextprotocol/logLevel': 'info' } });
    expect(logged).toEqual(['info', 'error']);
    await client.close();
  });

  it('a client cancels a call', async () => {
    const client = await connect();
    const controller = new AbortController();
    const running = client.callTool(
      { name: 'countdown', arguments: { interval_ms: 5_000 } },
      { signal: controller.signal, onprogress: () => controller.abort('enough') },
    );
    await expect(running).rejects.toThrow('enough');
    await client.close();
  });

  it('a client listens for changes until it closes the subscription', async () => {
    const client = await connect();
    const heard: string[] = [];
    const first = Promise.withResolvers<void>();
    client.setNotificationHandler('notifications/tools/list_changed', () => void heard.push('tools'));
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      heard.push(params.uri);
      first.resolve();
    });
    const subscription = await client.listen({ toolsListChanged: true, resourceSubscriptions: ['test://a'] });
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true, resourceSubscriptions: ['test://a'] });
    await changes.announce({ kind: 'prompts' });
    await changes.announce({ kind: 'tools' });
    await changes.announce({ kind: 'resource', uri: 'test://a' });
    await first.promise;
    expect(heard).toEqual(['tools', 'test://a']);
    await subscription.close();
    expect(await subscription.closed).toBe('local');
    await client.close();
  });

  it('a client is told gracefully when the server shuts down', async () => {
    await using leaving = await startStateless();
    const client = new Client(
      { name: 'modern', version: '0' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    await client.connect(new StreamableHTTPClientTransport(new URL(leaving.url)));
    const subscription = await client.listen({ toolsListChanged: true });
    leaving.stateless.drain();
    expect(await subscription.closed).toBe('graceful');
    await client.close();
  });
});
