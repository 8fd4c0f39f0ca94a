/** Proves what a running tool can do with its client (MCP progress, logging, elicitation, sampling, roots). */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Call } from '../../../src/protocol/call.ts';
import { type Context, defineTool } from '../../../src/protocol/define.ts';
import { methodsOver, testCall } from '../../support/methods-harness.ts';

const ALL = { elicitation: {}, sampling: {}, roots: {} };

/** Runs a tool that does one thing, and returns its result with the messages that the client got. */
async function running(use: (context: Context) => unknown, more: Partial<Call> = {}, answers: unknown[] = []) {
  const call = testCall({ capabilities: ALL, ...more }, answers);
  const tool = defineTool({
    name: 'tool',
    title: 't',
    description: 'd',
    input: z.object({}),
    run: async (_, context) => ({ text: JSON.stringify((await use(context)) ?? null) }),
  });
  const { ask, announced, lines } = methodsOver([tool]);
  const { isError, content } = await ask('tools/call', { name: 'tool' }, call);
  return { value: isError ? content[0].text : JSON.parse(content[0].text), isError, call, announced, lines };
}

describe('MCP progress', () => {
  it('a progress notification has the token of the request', async () => {
    const { call } = await running((context) => context.progress(1, 2, 'half'), { progressToken: 0 });
    const params = { progressToken: 0, progress: 1, total: 2, message: 'half' };
    expect(call.said).toEqual([{ method: 'notifications/progress', params }]);
  });

  it('a client that sent no progress token gets no progress', async () => {
    expect((await running((context) => context.progress(1))).call.said).toEqual([]);
  });
});

describe('MCP logging', () => {
  const say = async ({ log }: Context) => {
    for (const level of ['debug', 'info', 'warning', 'emergency'] as const) await log(level, level);
  };
  it.each([
    [undefined, []],
    ['debug', ['debug', 'info', 'warning', 'emergency']],
    ['notice', ['warning', 'emergency']],
  ] as const)('a client with log level %s gets %j', async (logLevel, heard) => {
    const { call } = await running(say, { logLevel });
    const params = heard.map((level) => ({ level, logger: 'tool', data: level }));
    expect(call.said.map((notification) => notification.params)).toEqual(params);
  });
});

describe('MCP elicitation', () => {
  const asking = (schema: z.ZodObject) => running((context) => context.elicit('?', schema), {}, [{ action: 'cancel' }]);
  const formOf = async (schema: z.ZodObject) =>
    (await asking(schema)).call.asked[0]?.params.requestedSchema as { properties: object; required?: string[] };
  const titled = z.union([z.literal('a').meta({ title: 'A' }), z.literal('b').meta({ title: 'B' })]);
  const titles = [
    { const: 'a', title: 'A' },
    { const: 'b', title: 'B' },
  ];

  it.each([
    ['one of several', z.enum(['a', 'b']), { type: 'string', enum: ['a', 'b'] }],
    ['one of several, with titles', titled, { type: 'string', oneOf: titles }],
    ['one of several, with titles by hand', z.string().meta({ oneOf: titles }), { type: 'string', oneOf: titles }],
    [
      'one of several, with titles as they were before',
      z.enum(['a', 'b']).meta({ enumNames: ['A', 'B'] }),
      { type: 'string', enum: ['a', 'b'], enumNames: ['A', 'B'] },
    ],
    [
      'some of several',
      z
        .array(z.enum(['a', 'b']))
        .min(1)
        .max(2),
      { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string', enum: ['a', 'b'] } },
    ],
    ['some of several, with titles', z.array(titled), { type: 'array', items: { anyOf: titles } }],
    ['a single word', z.literal('a'), { type: 'string', enum: ['a'] }],
  ])('SEP-1330 an elicitation form offers %s', async (_, schema, property) => {
    expect(await formOf(z.object({ x: schema }))).toEqual({
      type: 'object',
      properties: { x: property },
      required: ['x'],
    });
  });

  it.each([
    [z.string().default('x'), { type: 'string', default: 'x' }],
    [z.number().min(0).default(1.5), { type: 'number', minimum: 0, default: 1.5 }],
    [z.boolean().default(true), { type: 'boolean', default: true }],
    [z.enum(['a', 'b']).default('b'), { type: 'string', enum: ['a', 'b'], default: 'b' }],
    [z.array(titled).default(['a']), { type: 'array', items: { anyOf: titles }, default: ['a'] }],
  ])('SEP-1034 an elicitation form fills in a default, and does not require the field', async (schema, property) => {
    expect(await formOf(z.object({ x: schema }))).toEqual({ type: 'object', properties: { x: property } });
  });

  it('an elicitation form has only the keywords that forms allow', async () => {
    const { properties } = await formOf(
      z.object({ mail: z.email().max(9), id: z.uuid(), count: z.number().positive().meta({ title: 'Count' }) }),
    );
    expect(properties).toEqual({
      mail: { type: 'string', format: 'email', maxLength: 9 },
      id: { type: 'string' },
      count: { type: 'number', title: 'Count' },
    });
  });

  it.each([
    z.object({}),
    z.string().nullable(),
    z.array(z.string()),
    z.array(z.number()),
    z.union([z.string(), z.number()]),
  ])('a schema that no form can express is refused', async (schema) => {
    const { isError, call, lines } = await asking(z.object({ x: schema }));
    expect([isError, call.asked, lines[0]]).toEqual([true, [], expect.stringContaining("can't be asked for")]);
  });

  it('an elicitation yields the validated answer with defaults, or that there is none', async () => {
    const schema = z.object({ n: z.int().default(3), s: z.string() });
    const elicit = (answer: unknown) => running((context) => context.elicit('?', schema, 'key'), {}, [answer]);
    const { value, call } = await elicit({ action: 'accept', content: { s: 'x' } });
    expect(value).toEqual({ action: 'accept', content: { n: 3, s: 'x' } });
    expect(call.asked[0]).toMatchObject({ method: 'elicitation/create', key: 'key', params: { message: '?' } });
    expect((await elicit({ action: 'decline' })).value).toEqual({ action: 'decline' });
    expect((await elicit({ action: 'cancel', content: {} })).value).toEqual({ action: 'cancel' });
  });

  it.each([
    [{ action: 'accept', content: { s: 3 } }, 'does not match the question'],
    [{ action: 'accept' }, 'does not match the question'],
    [{ action: 'whatever' }, 'invalid response'],
    [undefined, 'invalid response'],
    [new Error('gone'), 'did not answer'],
  ])('the elicitation answer %j is a failure of the tool', async (answer, words) => {
    const { value, isError } = await running((context) => context.elicit('?', z.object({ s: z.string() })), {}, [
      answer,
    ]);
    expect([isError, value]).toEqual([true, expect.stringContaining(words)]);
  });
});

describe('MCP sampling and roots', () => {
  it('sampling and roots return what the client sent', async () => {
    const request = { messages: [], maxTokens: 1 };
    const answer = { model: 'm', role: 'assistant', content: { type: 'text', text: 'x' } };
    const sampled = await running((context) => context.sample(request, 'key'), {}, [answer]);
    expect([sampled.value, sampled.call.asked]).toEqual([
      answer,
      [{ method: 'sampling/createMessage', params: request, key: 'key' }],
    ]);
    const using = { role: 'assistant', model: 'm', content: [{ type: 'tool_use', id: '1', name: 't', input: {} }] };
    const tools = [{ name: 't', inputSchema: { type: 'object' as const } }];
    const used = await running(
      (context) => context.sample({ ...request, tools }),
      { capabilities: { sampling: { tools: {} } } },
      [using],
    );
    expect(used.value).toEqual(using);
    const listed = await running((context) => context.roots(), {}, [{ roots: [{ uri: 'file:///a' }] }]);
    expect([listed.value, listed.call.asked]).toEqual([[{ uri: 'file:///a' }], [{ method: 'roots/list', params: {} }]]);
  });

  it.each([
    [(context: Context) => context.sample({ messages: [], maxTokens: 1 }), { role: 'user' }],
    [(context: Context) => context.roots(), { roots: 'none' }],
  ])('an invalid answer of the client is a failure of the tool', async (use, answer) => {
    expect(await running(use, {}, [answer])).toMatchObject({
      isError: true,
      value: expect.stringContaining('invalid response'),
    });
  });
});

describe('calls that a tool does not await', () => {
  it.each<[string, (context: Context) => Promise<unknown>]>([
    ['progress', ({ progress }) => progress(1)],
    ['log', ({ log }) => log('error', 'x')],
    ['elicit', ({ elicit }) => elicit('?', z.object({}))],
    ['roots', ({ roots }) => roots()],
    ['releaseConnection', ({ releaseConnection }) => releaseConnection()],
    ['what follows fetch', ({ fetch }) => fetch('nowhere', '/').then((response) => response.json())],
    ['what follows upstream', ({ upstream }) => upstream('nowhere').finally(() => {})],
  ])('%s may fail without being awaited, and the process stays up', async (_, use) => {
    const fail = () => Promise.reject(new Error('the client is gone'));
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const failing = { progressToken: 1, logLevel: 'debug' as const, notify: fail, ask: fail, releaseConnection: fail };
    await running((context) => void use(context), failing);
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe("other functions of a tool's context", () => {
  it('a tool can announce changes and release its connection', async () => {
    const released: boolean[] = [];
    const releaseConnection = async () => void released.push(true);
    const change = { kind: 'resource', uri: 'a:b' } as const;
    const use = async (context: Context) => {
      await context.announce(change);
      await context.releaseConnection();
    };
    const { announced } = await running(use, { releaseConnection });
    expect([announced, released]).toEqual([[change], [true]]);
  });
});
