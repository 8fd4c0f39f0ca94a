/**
 * Proves that every value which an author returns becomes a valid answer, or a named fault that the caller and the log
 * get under one reference (MCP server/tools, server/resources, server/prompts, completion).
 */
import {
  CallToolResultSchema,
  CompleteResultSchema,
  GetPromptResultSchema,
  ReadResourceResultSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Context, defineTool, ToolError } from '../../../../src/protocol/define.ts';
import { methodsOver, testCall } from '../../../support/methods-harness.ts';

const about = { name: 'x', title: 't', description: 'd' };
const bytes = new Uint8Array([0, 1, 2]);
const circular: Record<string, unknown> = {};
circular.self = circular;

/** JSON.stringify ignores it. */
class Hidden {
  get type() {
    return 'text';
  }
  get text() {
    return 'x';
  }
}

/** A record as database libraries return it. */
class DatabaseRow {
  readonly #columns: object;
  constructor(columns: object) {
    this.#columns = columns;
  }
  toJSON() {
    return this.#columns;
  }
}

/** Throws at every access. */
const fail = () => {
  throw new Error('secret');
};
const untouchable = new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail });
const withMember = (name: string) => Object.defineProperty(new Error('x'), name, { get: fail, enumerable: true });

type Definitions = Parameters<typeof methodsOver>[0];
const over = (definition: object) => methodsOver([definition] as Definitions);

const toolThat = (run: (input: unknown, context: Context) => unknown, more: object = {}) =>
  over({ ...about, input: z.object({}), run, ...more });

async function callOf(run: Parameters<typeof toolThat>[0], more: object = {}) {
  const { ask, lines } = toolThat(run, more);
  const call = testCall({ progressToken: 1, logLevel: 'debug', capabilities: { elicitation: {}, sampling: {} } });
  const result = await ask('tools/call', { name: 'x' }, call);
  expect(CallToolResultSchema.safeParse(JSON.parse(JSON.stringify(result))).error).toBeUndefined();
  return { result, lines: lines.map((line) => JSON.parse(line)) };
}

const text = (words: string) => ({ type: 'text', text: words });

describe('the return value of a tool', () => {
  it.each([
    ['a string', 'hello', { content: [text('hello')] }],
    ['an empty text', { text: '' }, { content: [text('')] }],
    ['structuredContent', { structuredContent: { n: 1 } }, { content: [text('{"n":1}')], structuredContent: { n: 1 } }],
    ['isError false', { text: 'x', isError: false }, { content: [text('x')] }],
    ['isError true', { content: [text('no')], isError: true }, { content: [text('no')], isError: true }],
    [
      'structured data with dates, and members that are not there',
      { structured: { a: new Date(0), b: undefined, c: [null] } },
      {
        content: [text('{"a":"1970-01-01T00:00:00.000Z","c":[null]}')],
        structuredContent: { a: new Date(0), b: undefined, c: [null] },
      },
    ],
    [
      'structured data that say themselves what they are in JSON',
      { structured: new DatabaseRow({ a: 1 }) },
      { content: [text('{"a":1}')], structuredContent: { a: 1 } },
    ],
    [
      'a block that is an instance of a class',
      { content: [Object.assign(new (class Block {})(), text('x'))] },
      { content: [text('x')] },
    ],
    [
      'a block that says itself what it is in JSON',
      { content: [new DatabaseRow(text('x'))] },
      { content: [text('x')] },
    ],
    ['_meta', { text: 'x', _meta: { a: 1 } }, { content: [text('x')], _meta: { a: 1 } }],
    [
      'an image as Buffer',
      { content: [{ type: 'image', data: Buffer.from(bytes), mimeType: 'image/png' }] },
      { content: [{ type: 'image', data: 'AAEC', mimeType: 'image/png' }] },
    ],
    [
      'sound as ArrayBuffer',
      { content: [{ type: 'audio', data: bytes.buffer, mimeType: 'audio/wav' }] },
      { content: [{ type: 'audio', data: 'AAEC', mimeType: 'audio/wav' }] },
    ],
    [
      'a part of a buffer',
      { content: [{ type: 'image', data: bytes.subarray(1), mimeType: 'image/png' }] },
      { content: [{ type: 'image', data: 'AQI=', mimeType: 'image/png' }] },
    ],
    [
      'structured data with bytes',
      { structured: { deep: [Buffer.from(bytes)] } },
      { content: [text('{"deep":["AAEC"]}')], structuredContent: { deep: ['AAEC'] } },
    ],
    [
      'an embedded resource with bytes',
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: bytes } }] },
      { content: [{ type: 'resource', resource: { uri: 'a:b', blob: 'AAEC' } }] },
    ],
  ])('a tool may return %s', async (_, given, expected) => {
    expect((await callOf(() => given)).result).toEqual(expected);
    expect((await callOf(async () => given)).result).toEqual(expected);
  });

  it('a tool may return any thenable', async () => {
    // biome-ignore lint/suspicious/noThenProperty: that is what it is about
    const thenable = { then: (resolve: (value: object) => void) => resolve({ text: 'late' }) };
    expect((await callOf(() => thenable)).result).toEqual({ content: [text('late')] });
  });

  it.each([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a number', 5, 'a number'],
    ['a boolean', true, 'a boolean'],
    ['a list', ['a'], 'a list'],
    ['a Buffer', Buffer.from('x'), 'a Buffer'],
    ['a Map', new Map(), 'a Map'],
    ['a Date', new Date(0), 'a Date'],
    ['an Error', new Error('secret'), 'an Error'],
    ['a function', () => 'x', 'a function'],
    ['a block by itself', { type: 'text', text: 'x' }, '"type"'],
    ['a result of older revisions', { toolResult: 'x' }, '"toolResult"'],
    ['a misspelt content', { contents: [] }, 'did you mean "content"'],
    ['a misspelt failure', { text: 'x', iserror: true }, 'did you mean "isError"'],
    ['a text that is a number', { text: 5 }, 'text has to be a string, and is a number'],
    ['a text that is null', { text: null }, 'text has to be a string, and is null'],
    ['a text that is a promise', { text: Promise.resolve('x') }, 'text has to be a string, and is a Promise'],
    ['content that is a string', { content: 'x' }, 'content has to be a list'],
    ['content that is one block', { content: text('x') }, 'content has to be a list'],
    ['content of strings', { content: ['x'] }, 'content[0] has to be a block'],
    ['content with a hole', { content: [text('a'), undefined] }, 'content[1]'],
    ['content with null', { content: [null] }, 'content[0]'],
    ['a block of no kind', { content: [{ kind: 'x' }] }, 'content[0].type has to be one of text, image'],
    ['a block of another kind', { content: [{ type: 'video' }] }, 'content[0].type'],
    ['a block whose kind is a name of Object', { content: [{ type: 'constructor' }] }, 'content[0].type'],
    ['a text block with a number', { content: [{ type: 'text', text: 5 }] }, 'content[0].text'],
    ['a text block without text', { content: [{ type: 'text' }] }, 'content[0].text'],
    ['an image that is no base64', { content: [{ type: 'image', data: '%', mimeType: 'a/b' }] }, 'content[0].data'],
    [
      'an image that is a data URL',
      { content: [{ type: 'image', data: 'data:image/png;base64,AAEC', mimeType: 'image/png' }] },
      'content[0].data',
    ],
    ['an image without its type', { content: [{ type: 'image', data: 'AAEC' }] }, 'content[0].mimeType'],
    ['a link without a name', { content: [{ type: 'resource_link', uri: 'a:b' }] }, 'content[0].name'],
    ['a link to no URI', { content: [{ type: 'resource_link', uri: 'notes/today', name: 'n' }] }, 'content[0].uri'],
    ['a link to nothing', { content: [{ type: 'resource_link', uri: '', name: 'n' }] }, 'content[0].uri'],
    [
      'a resource of no URI',
      { content: [{ type: 'resource', resource: { uri: 'not a uri', text: 'x' } }] },
      'content[0].resource.uri',
    ],
    ['a resource without a uri', { content: [{ type: 'resource', resource: { text: 'x' } }] }, 'content[0].resource'],
    ['invalid annotations', { content: [{ ...text('x'), annotations: { priority: 7 } }] }, 'annotations.priority'],
    ['_meta of a block that is circular', { content: [{ ...text('x'), _meta: circular }] }, "can't be written as JSON"],
    ['structured data that are a list', { structured: [1] }, 'structured has to be an object, and is a list'],
    ['structured data that are a string', { structured: 'x' }, 'structured has to be an object'],
    ['structured data that are null', { structured: null }, 'structured has to be an object, and is null'],
    ['structured data that are a Map', { structured: new Map([['a', 1]]) }, 'structured has to be an object'],
    ['structured data that are a Date', { text: 'x', structured: new Date(0) }, 'structured has to be an object'],
    ['structured data that are a promise', { structured: Promise.resolve({}) }, 'structured has to be an object'],
    ['a BigInt beside a text', { text: 'x', structured: { n: 1n } }, "structured can't be written as JSON"],
    ['what is circular beside a text', { text: 'x', structured: circular }, "structured can't be written as JSON"],
    ['structured data with a Map in it', { structured: { a: [new Map([['b', 1]])] } }, 'structured.a[0] '],
    ['structured data with a Set in it', { text: 'x', structured: { a: new Set([1]) } }, 'structured.a '],
    ['structured data with a promise in it', { structured: { a: Promise.resolve(1) } }, 'is a Promise'],
    ['structured data with an Error in it', { structured: { a: new Error('secret') } }, 'is an Error'],
    ['structured data with bytes in it', { structured: { a: new Uint8Array(1) } }, 'is an Uint8Array'],
    ['structured data with a function in it', { structured: { a: () => 1 } }, 'is a function'],
    ['structured data with NaN in it', { structured: { a: Number.NaN } }, 'structured.a is NaN'],
    ['structured data with an invalid date', { structured: { a: new Date('x') } }, 'structured.a is NaN'],
    ['structured data that a class hides', { structured: { a: new Hidden() } }, 'is a Hidden'],
    ['structured data that are hidden themselves', { text: 'x', structured: new Hidden() }, 'is a Hidden'],
    [
      'structured data that are a number in JSON',
      { text: 'x', structured: { toJSON: () => 5 } },
      'structured has to be',
    ],
    ['structured data that are nothing in JSON', { structured: { toJSON: () => undefined } }, 'structured has to be'],
    ['_meta with a Map in it', { text: 'x', _meta: { a: new Map() } }, '_meta.a '],
    ['_meta that is a number in JSON', { text: 'x', _meta: { toJSON: () => 5 } }, '_meta has to be an object'],
    ['a block whose members are those of its class', { content: [new Hidden()] }, 'content[0].type'],
    ['a block whose members are inherited', { content: [Object.create(text('x'))] }, 'content[0].type'],
    ['a block that is a number in JSON', { content: [{ ...text('x'), toJSON: () => 5 }] }, 'content[0].type'],
    [
      'a block with a Map in its _meta',
      { content: [{ ...text('x'), _meta: { a: new Map() } }] },
      'content[0]._meta.a ',
    ],
    ['structured data twice', { structured: {}, structuredContent: {} }, 'give one of them'],
    ['isError that is text', { text: 'x', isError: 'yes' }, 'isError has to be true or false'],
    ['_meta that is text', { text: 'x', _meta: 'm' }, '_meta has to be an object'],
  ])('a tool must not return %s: the answer and the log say so, under one reference', async (_, given, name) => {
    for (const run of [() => given, async () => given]) {
      const { result, lines } = await callOf(run);
      expect(result).toMatchObject({ isError: true, content: [text(expect.stringContaining(name))] });
      expect(lines).toMatchObject([{ level: 'error', tool: 'x', subject: 'ada' }]);
      expect(lines[0].err.message).toContain(name);
      expect(result.content[0].text).toContain(`reference ${lines[0].reference}`);
      expect(JSON.stringify(result)).not.toContain('secret');
    }
  });

  it('a result must match its output schema, unless it is a failure', async () => {
    const output = z.object({ people: z.int() });
    for (const [given, name] of [
      [{ text: 'x' }, 'structured is missing'],
      [{ structured: { people: '7' } }, 'people: expected number, received string'],
    ] as const) {
      const { result } = await callOf(() => given, { output });
      expect(result).toMatchObject({ isError: true, content: [text(expect.stringContaining(name))] });
    }
    const failure = { content: [text('no')], isError: true };
    expect((await callOf(() => failure, { output })).result).toEqual(failure);
  });

  it('a result with isError counts as failed', async () => {
    const outcomes: string[] = [];
    const failing = defineTool({ ...about, input: z.object({}), run: () => ({ text: 'no', isError: true }) });
    await methodsOver([failing], { onToolCall: (_, outcome) => void outcomes.push(outcome) }).ask('tools/call', about);
    expect(outcomes).toEqual(['failed']);
  });
});

describe('the exceptions of a tool', () => {
  it.each([null, undefined, 'secret', 7, {}, Symbol('secret'), [], () => 'secret'])(
    'a tool that throws %s is answered with a tool error, not a protocol error',
    async (thrown) => {
      for (const run of [
        () => {
          throw thrown;
        },
        () => Promise.reject(thrown),
      ]) {
        const { result, lines } = await callOf(run);
        expect(result).toMatchObject({
          isError: true,
          content: [text(expect.stringContaining('fault in this server'))],
        });
        expect(lines).toMatchObject([{ tool: 'x', err: { message: expect.stringContaining('was thrown') } }]);
        expect(result.content[0].text).toContain(lines[0].reference);
        expect(JSON.stringify(result)).not.toContain('secret');
      }
    },
  );

  it.each([
    ['an object that cannot be inspected', untouchable],
    ['an error with an unreadable message', withMember('message')],
    ['an error with an unreadable stack', withMember('stack')],
    ['an error with an unreadable member', withMember('more')],
  ])('a thrown %s is reported under a reference by prompts, resources and tools', async (_, thrown) => {
    const run = () => Promise.reject(thrown);
    const { result, lines } = await callOf(run);
    expect(result).toMatchObject({ isError: true, content: [text(expect.stringContaining(lines[0].reference))] });
    for (const [method, definition, params] of [
      ['resources/read', { ...about, uri: 'a:b', read: run }, { uri: 'a:b' }],
      ['prompts/get', { ...about, render: run }, { name: 'x' }],
    ] as const) {
      const { ask } = over(definition);
      await expect(ask(method, params)).rejects.toMatchObject({
        code: -32603,
        data: { reference: expect.any(String) },
      });
    }
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  it('a fault of a tool is answered with a reference, which the log has beside the error', async () => {
    const { result, lines } = await callOf(() => {
      throw new Error('secret');
    });
    expect(lines).toMatchObject([{ err: { message: 'secret' }, reference: expect.stringMatching(/^[0-9a-f]{8}$/) }]);
    expect(result.content[0].text).toContain(`reference ${lines[0].reference}`);
    expect((await callOf(() => Promise.reject(new ToolError('own')))).lines).toEqual([]);
  });
});

describe('the notifications of a tool', () => {
  it.each([
    ['progress that is text', (c: Context) => c.progress('1' as never), 'progress has to be a finite number'],
    ['progress that is no number', (c: Context) => c.progress(Number.NaN), 'progress has to be a finite number'],
    ['an infinite total', (c: Context) => c.progress(1, Number.POSITIVE_INFINITY), 'total of progress'],
    ['a message that is an object', (c: Context) => c.progress(1, 2, {} as never), 'message of progress'],
    ['a level that there is not', (c: Context) => c.log('warn' as never, 'x'), 'level of log has to be one of'],
    ['data that are circular', (c: Context) => c.log('info', circular), 'data of log'],
    ['a BigInt', (c: Context) => c.log('info', { n: 1n }), 'data of log'],
    ['a change of no kind', (c: Context) => c.announce({ kind: 'tool' } as never), 'kind of a change'],
    ['a change of nothing', (c: Context) => c.announce(undefined as never), 'change has to be an object'],
    ['a resource without uri', (c: Context) => c.announce({ kind: 'resource' } as never), 'uri of a change'],
    ['a question without words', (c: Context) => c.elicit(7 as never, z.object({})), 'message of elicit'],
    [
      'a form that no client can show',
      (c: Context) => c.elicit('?', z.object({ deep: z.object({}) })),
      '"deep" can\'t be asked for',
    ],
    [
      'a request to a model that is text',
      (c: Context) => c.sample('x' as never),
      'request of sample has to be an object',
    ],
    ['a request without a limit', (c: Context) => c.sample({ messages: [] } as never), 'request of sample: maxTokens'],
    [
      'a request with a message of no role',
      (c: Context) => c.sample({ messages: [{ content: { type: 'text', text: 'x' } }], maxTokens: 1 } as never),
      'request of sample: messages.0.role',
    ],
    ['a question without schema', (c: Context) => c.elicit('?', { a: z.string() } as never), 'schema of elicit'],
  ])('a tool must not send %s', async (_, say, name) => {
    const { result, lines } = await callOf(async (_input, context) => {
      await say(context);
      return { text: 'x' };
    });
    expect(result).toMatchObject({ isError: true, content: [text(expect.stringContaining(name))] });
    expect(lines[0].err.message).toContain(name);
  });

  it('bytes in a sampling message are encoded as base64', async () => {
    const { ask } = toolThat(async (_, { sample }) => {
      const content = { type: 'image', data: Buffer.from([0, 1, 2]) as never, mimeType: 'image/png' } as const;
      await sample({ messages: [{ role: 'user', content }], maxTokens: 1 });
      return 'x';
    });
    const answer = { role: 'assistant', model: 'm', content: { type: 'text', text: 'y' } };
    const call = testCall({ capabilities: { sampling: {} } }, [answer]);
    expect(await ask('tools/call', { name: 'x' }, call)).toEqual({ content: [text('x')] });
    expect(call.asked).toMatchObject([{ params: { messages: [{ content: { data: 'AAEC' } }] } }]);
  });

  it('a log message always has data, null where nothing was given (MCP server/utilities/logging)', async () => {
    const { ask } = toolThat(async (_, { log }) => {
      await log('info', undefined);
      return 'x';
    });
    const call = testCall({ logLevel: 'debug' });
    await ask('tools/call', { name: 'x' }, call);
    expect(call.said).toMatchObject([{ params: { data: null } }]);
  });
});

interface Row {
  readonly method: string;
  readonly params: object;
  readonly schema: z.ZodType;
  declare(give: () => unknown): object;
}

const rows: Readonly<Record<'resource' | 'template' | 'prompt' | 'completion', Row>> = {
  resource: {
    method: 'resources/read',
    params: { uri: 'a:b' },
    schema: ReadResourceResultSchema,
    declare: (give) => ({ ...about, uri: 'a:b', mimeType: 'text/plain', read: give }),
  },
  template: {
    method: 'resources/read',
    params: { uri: 'a:b' },
    schema: ReadResourceResultSchema,
    declare: (give) => ({ ...about, uriTemplate: 'a:{b}', mimeType: 'text/plain', read: give }),
  },
  prompt: {
    method: 'prompts/get',
    params: { name: 'x' },
    schema: GetPromptResultSchema,
    declare: (give) => ({ ...about, render: give }),
  },
  completion: {
    method: 'completion/complete',
    params: { ref: { type: 'ref/prompt', name: 'x' }, argument: { name: 'a', value: '' } },
    schema: CompleteResultSchema,
    declare: (give) => ({
      ...about,
      arguments: z.object({ a: z.string() }),
      complete: { a: give },
      render: () => [],
    }),
  },
};

const message = (content: unknown, role = 'user') => ({ role, content });

const right: readonly (readonly [keyof typeof rows, unknown, object])[] = [
  ['resource', 'words', { contents: [{ uri: 'a:b', mimeType: 'text/plain', text: 'words' }] }],
  ['resource', { text: '' }, { contents: [{ text: '' }] }],
  ['resource', { bytes }, { contents: [{ blob: 'AAEC' }] }],
  ['resource', { bytes: bytes.buffer }, { contents: [{ blob: 'AAEC' }] }],
  ['resource', Buffer.from(bytes), { contents: [{ blob: 'AAEC' }] }],
  ['template', { text: 'x', mimeType: 'text/html' }, { contents: [{ text: 'x', mimeType: 'text/html' }] }],
  ['prompt', [], { messages: [] }],
  ['prompt', [message({ type: 'image', data: bytes, mimeType: 'a/b' })], { messages: [{ content: { data: 'AAEC' } }] }],
  ['completion', undefined, { completion: { values: [] } }],
  ['completion', null, { completion: { values: [] } }],
  ['completion', ['a'], { completion: { values: ['a'] } }],
];

const wrong: readonly (readonly [keyof typeof rows, unknown, string])[] = [
  ['resource', 5, 'an object with text or bytes, and is a number'],
  ['resource', ['x'], 'and is a list'],
  ['resource', {}, 'neither text nor bytes'],
  ['resource', { text: 5 }, 'text has to be a string, and is a number'],
  ['resource', { bytes: 'AAEC' }, 'bytes has to be a Uint8Array, and is a string'],
  ['resource', { bytes: [0, 1] }, 'bytes has to be a Uint8Array, and is a list'],
  ['resource', { blob: 'AAEC' }, '"blob"'],
  ['resource', { contents: [{ uri: 'a:b', text: 'x' }] }, '"contents"'],
  ['resource', { txet: 'x' }, 'did you mean "text"'],
  ['resource', { text: 'x', bytes }, 'give one of them'],
  ['resource', { text: 'x', mimeType: 7 }, 'mimeType has to be a string'],
  ['template', new Date(0), 'and is a Date'],
  ['prompt', 'words', 'a list of messages, and is a string'],
  ['prompt', undefined, 'a list of messages, and is undefined'],
  ['prompt', null, 'a list of messages, and is null'],
  ['prompt', { messages: [] }, 'a list of messages, and is an object'],
  ['prompt', ['x'], 'messages[0]'],
  ['prompt', [message('x')], 'messages[0].content'],
  ['prompt', [message([text('x')])], 'messages[0].content'],
  ['prompt', [message(text('x'), 'system')], 'messages[0].role'],
  ['prompt', [{ ...message(text('x')), name: 'x' }], '"name"'],
  ['prompt', [message(text('x')), message({ type: 'text', text: 5 })], 'messages[1].content.text'],
  ['completion', 'abc', 'a list of strings, and is a string'],
  ['completion', { values: ['a'] }, 'a list of strings, and is an object'],
  ['completion', new Set(['a']), 'a list of strings, and is a Set'],
  ['completion', [1], '[0] has to be a string'],
  ['completion', ['a', null], '[1] has to be a string'],
];

describe('asynchronous checks in a schema', () => {
  const slow = z.object({ a: z.string().refine(async () => true) });

  it('an asynchronous check is reported as a fault of the tool or the prompt', async () => {
    const input = toolThat(() => 'x', { input: slow });
    const output = toolThat(() => ({ structured: { a: 'x' } }), { output: slow });
    for (const [{ ask, lines }, name] of [
      [input, 'input has an asynchronous check'],
      [output, 'output has an asynchronous check'],
    ] as const) {
      const result = await ask('tools/call', { name: 'x', arguments: name.startsWith('input') ? { a: 'x' } : {} });
      expect(result).toMatchObject({ isError: true, content: [text(expect.stringContaining(name))] });
      expect(lines).toHaveLength(1);
    }
    const { ask, lines } = over({ ...about, arguments: slow, render: () => [] });
    const asked = ask('prompts/get', { name: 'x', arguments: { a: 'x' } });
    await expect(asked).rejects.toMatchObject({ code: -32603, message: expect.stringContaining('asynchronous') });
    expect(lines).toHaveLength(1);
  });
});

describe('the return values of resources, prompts and completions', () => {
  it.each(right)('a %s may return %j', async (kind, given, expected) => {
    const { method, params, schema, declare } = rows[kind];
    for (const give of [() => given, async () => given]) {
      const result = await over(declare(give)).ask(method, params);
      expect(result).toMatchObject(expected);
      expect(schema.safeParse(result).error).toBeUndefined();
    }
  });

  it.each(wrong)('a %s must not return %j: the caller and the log are told', async (kind, given, name) => {
    const { method, params, declare } = rows[kind];
    for (const give of [() => given, async () => given]) {
      const { ask, lines } = over(declare(give));
      const error = await ask(method, params).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: -32603, message: expect.stringContaining(name) });
      const line = JSON.parse(lines[0] ?? '{}');
      expect(line.err.message).toContain(name);
      expect(error.data).toEqual({ reference: line.reference });
    }
  });

  it.each(Object.keys(rows) as (keyof typeof rows)[])(
    'a fault of a %s is answered with -32603, whatever it throws',
    async (kind) => {
      const { method, params, declare } = rows[kind];
      for (const thrown of [null, undefined, 'secret', new Error('secret')]) {
        const give = () => Promise.reject(thrown);
        const { ask, lines } = over(declare(give));
        const error = await ask(method, params).catch((rejected: unknown) => rejected);
        const { reference } = JSON.parse(lines[0] ?? '{}');
        expect(error).toMatchObject({ code: -32603, message: 'Internal error', data: { reference } });
      }
    },
  );

  it.each(['resource', 'template'] as const)('a %s that returns nothing is answered as not found', async (kind) => {
    for (const nothing of [undefined, null]) {
      const { ask } = over(rows[kind].declare(() => nothing));
      await expect(ask('resources/read', rows[kind].params)).rejects.toMatchObject({
        code: -32602,
        data: { uri: 'a:b' },
      });
    }
  });
});
