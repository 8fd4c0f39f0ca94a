/** Proves how resources, prompts and completions answer in every era (MCP server/resources, prompts, completion). */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { definePrompt, defineResource, ToolError } from '../../../src/protocol/define.ts';
import { forSessionRevisions } from '../../../src/protocol/methods/session-revisions.ts';
import { methodsOver, testCall } from '../../support/methods-harness.ts';

const about = { title: 't', description: 'd' };
const text = (words: string) => ({ role: 'user' as const, content: { type: 'text' as const, text: words } });
const numbers = Array.from({ length: 150 }, (_, n) => String(n));

const { ask, methods, lines } = methodsOver([
  defineResource({ ...about, name: 'text', uri: 'a:text', mimeType: 'text/plain', read: () => ({ text: 'words' }) }),
  defineResource({
    ...about,
    name: 'bytes',
    uri: 'a:bytes',
    read: () => ({ mimeType: 'image/png', bytes: new Uint8Array([255, 0, 1, 2]).subarray(1, 3) }),
  }),
  defineResource({ ...about, name: 'empty', uri: 'a:empty', read: () => ({}) }),
  defineResource({ ...about, name: 'sulks', uri: 'a:sulks', read: () => Promise.reject(new ToolError('Not now.')) }),
  defineResource({ ...about, name: 'guarded', uri: 'a:guarded', scope: 'mcp:admin', read: () => ({ text: '' }) }),
  defineResource({
    ...about,
    name: 'note',
    uriTemplate: 'note:{user}/{id}',
    mimeType: 'text/plain',
    complete: {
      id: (typed, { user }, { subject }) => [`${typed}-${user}-${subject}`],
      user: () => Promise.reject(new Error('secret')),
    },
    read: ({ user, id }) => (id === '0' ? undefined : { text: `${user} ${id}` }),
  }),
  definePrompt({
    ...about,
    name: 'greet',
    arguments: z.object({
      name: z.string().min(2).describe('Whom'),
      tone: z.enum(['Kind', 'kurt']).optional().meta({ title: 'Tone' }),
      number: z.string().optional(),
    }),
    complete: { number: (typed) => numbers.filter((number) => number.startsWith(typed)) },
    render: ({ name, tone = 'Kind' }, { principal }) => [text(`${name} ${tone} ${principal.subject}`)],
  }),
  definePrompt({ ...about, name: 'breaks', render: () => Promise.reject(new Error('secret')) }),
  definePrompt({
    ...about,
    name: 'guarded',
    scope: 'mcp:admin',
    arguments: z.object({ a: z.string() }),
    render: () => [],
  }),
  definePrompt({
    ...about,
    name: 'asks',
    render: async (_, { elicit }) => [text(JSON.stringify(await elicit('?', z.object({}))))],
  }),
]);

describe('MCP 2025-11-25 server/resources', () => {
  it('resources/list has fixed resources by URI, and resources/templates/list has the templates', async () => {
    const { resources } = await ask('resources/list');
    expect(resources.map(({ uri }: { uri: string }) => uri)).toEqual([
      'a:bytes',
      'a:empty',
      'a:guarded',
      'a:sulks',
      'a:text',
    ]);
    expect(resources[4]).toEqual({ uri: 'a:text', name: 'text', ...about, mimeType: 'text/plain' });
    expect(await ask('resources/templates/list')).toEqual({
      resourceTemplates: [{ uriTemplate: 'note:{user}/{id}', name: 'note', ...about, mimeType: 'text/plain' }],
    });
  });

  it.each([
    ['a:text', { mimeType: 'text/plain', text: 'words' }],
    ['a:bytes', { mimeType: 'image/png', blob: 'AAE=' }],
    ['note:a%20b/7', { mimeType: 'text/plain', text: 'a b 7' }],
  ])('resources/read returns %s', async (uri, content) => {
    expect(await ask('resources/read', { uri })).toEqual({ contents: [{ uri, ...content }] });
  });

  it.each(['a:nothing', 'note:a/0', 'note:a', '', 'constructor'])(
    'resources/read of the unknown URI "%s" is -32602 in 2026-07-28, -32002 before',
    async (uri) => {
      const error = { message: 'Resource not found', data: { uri } };
      await expect(ask('resources/read', { uri })).rejects.toMatchObject({ code: -32602, ...error });
      const old = forSessionRevisions(methods).get('resources/read');
      await expect(old?.({ uri }, testCall())).rejects.toMatchObject({ code: -32002, ...error });
    },
  );

  it.each([
    [{}, -32602, 'Invalid params: uri has to be a string'],
    [{ uri: 'a:guarded' }, -32602, 'a:guarded needs the scope mcp:admin'],
    [{ uri: 'a:sulks' }, -32603, 'Not now.'],
    [{ uri: 'a:empty' }, -32603, 'Internal error: neither text nor bytes are there'],
  ])('resources/read with %j: %d %s', async (params, code, message) => {
    await expect(ask('resources/read', params)).rejects.toMatchObject({ code, message });
  });
});

describe('MCP 2025-11-25 server/prompts', () => {
  it('prompts/list has the prompts by name, with their arguments', async () => {
    const { prompts } = await ask('prompts/list');
    expect(prompts.map(({ name }: { name: string }) => name)).toEqual(['asks', 'breaks', 'greet', 'guarded']);
    expect(prompts[2].arguments).toEqual([
      { name: 'name', description: 'Whom', required: true },
      { name: 'tone', title: 'Tone', required: false },
      { name: 'number', required: false },
    ]);
    expect(prompts[0]).not.toHaveProperty('arguments');
  });

  it('prompts/get renders a prompt', async () => {
    const rendered = { description: 'd', messages: [text('Bob kurt ada')] };
    expect(await ask('prompts/get', { name: 'greet', arguments: { name: 'Bob', tone: 'kurt' } })).toEqual(rendered);
  });

  it.each([
    [{ name: 'nope' }, -32602, 'Unknown prompt: nope'],
    [{}, -32602, 'name has to be a string'],
    [{ name: 'greet' }, -32602, 'name: Invalid input'],
    [{ name: 'greet', arguments: { name: 'B' } }, -32602, 'name: Too small'],
    [{ name: 'greet', arguments: { name: 3 } }, -32602, 'name has to be a string'],
    [{ name: 'greet', arguments: ['x'] }, -32602, 'arguments has to be an object'],
    [{ name: 'guarded', arguments: { a: 'x' } }, -32602, 'needs the scope mcp:admin'],
    [{ name: 'breaks' }, -32603, 'Internal error'],
  ])('prompts/get with %j: %d %s', async (params, code, words) => {
    const message = expect.stringContaining(words);
    await expect(ask('prompts/get', params)).rejects.toMatchObject({ code, message });
  });

  it('a fault of a prompt is logged, and the answer has no details', () => {
    const broken = lines.map((line) => JSON.parse(line)).filter(({ prompt }) => prompt === 'breaks');
    expect(broken).toMatchObject([{ msg: 'request failed', subject: 'ada', err: { message: 'secret' } }]);
  });

  it('a prompt that needs an unsupported elicitation fails with a protocol error in 2026-07-28, and in words before', async () => {
    await expect(ask('prompts/get', { name: 'asks' })).rejects.toMatchObject({
      required: { elicitation: { form: {} } },
    });
    const old = forSessionRevisions(methods).get('prompts/get');
    const message = expect.stringContaining('does not support elicitation');
    await expect(old?.({ name: 'asks' }, testCall())).rejects.toMatchObject({ code: -32603, message });
  });
});

describe('MCP 2025-11-25 server/utilities/completion', () => {
  const complete = (ref: object, name: string, value: string, context?: object) =>
    ask('completion/complete', { ref, argument: { name, value }, ...(context && { context }) });
  const prompt = (name: string) => ({ type: 'ref/prompt', name });
  const template = { type: 'ref/resource', uri: 'note:{user}/{id}' };

  it.each([
    [
      'what the author says',
      prompt('greet'),
      'number',
      '14',
      ['14', '140', '141', '142', '143', '144', '145', '146', '147', '148', '149'],
    ],
    ['a closed set by itself', prompt('greet'), 'tone', 'K', ['Kind', 'kurt']],
    ['nothing for an argument without suggestions', prompt('greet'), 'name', 'x', []],
  ])('completion/complete suggests %s', async (_, ref, name, value, values) => {
    expect(await complete(ref, name, value)).toEqual({ completion: { values, total: values.length, hasMore: false } });
  });

  it('completion/complete suggests at most 100 values, and says how many there are', async () => {
    const { completion } = await complete(prompt('greet'), 'number', '');
    expect(completion).toEqual({ values: numbers.slice(0, 100), total: 150, hasMore: true });
  });

  it('a completion knows the other arguments and the caller', async () => {
    const { completion } = await complete(template, 'id', '7', { arguments: { user: 'bob' } });
    expect(completion.values).toEqual(['7-bob-ada']);
  });

  it.each([
    [{}, 'ref/prompt or ref/resource'],
    [{ ref: prompt('nope'), argument: { name: 'a', value: '' } }, 'Unknown prompt: nope'],
    [{ ref: { type: 'ref/resource', uri: 'x:y' }, argument: { name: 'a', value: '' } }, 'Unknown resource template'],
    [{ ref: prompt('guarded'), argument: { name: 'a', value: '' } }, 'needs the scope'],
    [{ ref: prompt('greet'), argument: { name: 'constructor', value: '' } }, 'no argument constructor'],
    [{ ref: { type: 'ref/resource', uri: 'a:text' }, argument: { name: 'a', value: '' } }, 'no argument a'],
    [{ ref: prompt('greet'), argument: { name: 'name', value: 3 } }, 'value has to be a string'],
    [{ ref: prompt('greet'), argument: { name: 'name', value: '' }, context: { arguments: { x: 3 } } }, 'x has to be'],
  ])('completion/complete with %j is -32602', async (params, words) => {
    const given = { argument: { name: 'a', value: '' }, ...params };
    const message = expect.stringContaining(words);
    await expect(ask('completion/complete', given)).rejects.toMatchObject({ code: -32602, message });
  });

  it('a fault in a completion is answered without details', async () => {
    await expect(complete(template, 'user', '')).rejects.toMatchObject({ code: -32603, message: 'Internal error' });
  });
});
