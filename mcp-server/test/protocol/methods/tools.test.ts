/** Proves how tools answer in every era (MCP server/tools). */
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Context, defineTool, ToolError, type ToolResult } from '../../../src/protocol/define.ts';
import { forSessionRevisions } from '../../../src/protocol/methods/session-revisions.ts';
import { methodsOver, testCall } from '../../support/methods-harness.ts';

const about = { title: 't', description: 'd', input: z.object({}) };
const gives = (result: unknown, more: object = {}) =>
  defineTool({ ...about, name: 'gives', ...more, run: () => result as ToolResult<Record<string, never>> });
const call = (...tools: Parameters<typeof methodsOver>[0]) => methodsOver(tools).ask('tools/call', { name: 'gives' });

describe('tools/call params', () => {
  const { ask } = methodsOver([gives({ text: 'x' })]);

  it.each([
    [{}, 'Invalid params: name has to be a string'],
    [{ name: 3 }, 'Invalid params: name has to be a string'],
    [{ name: 'gives', arguments: [] }, 'Invalid params: arguments has to be an object'],
    [{ name: 'gives', arguments: null }, 'Invalid params: arguments has to be an object'],
    [{ name: 'gives', arguments: 'x' }, 'Invalid params: arguments has to be an object'],
    [{ name: 'nope' }, 'Unknown tool: nope'],
    [{ name: 'constructor' }, 'Unknown tool: constructor'],
  ])('tools/call with %j is -32602', async (params, message) => {
    await expect(ask('tools/call', params)).rejects.toMatchObject({ code: -32602, message });
  });

  it('tools/call with very many invalid arguments is answered with the first of them', async () => {
    const list = defineTool({ ...about, name: 'list', input: z.object({ x: z.array(z.int()) }), run: () => ({}) });
    const params = { name: 'list', arguments: { x: Array.from({ length: 1_000 }, () => 'no') } };
    const { content } = await methodsOver([list]).ask('tools/call', params);
    expect(content[0].text.split('\n')).toHaveLength(22);
  });

  it('tools/call may omit the arguments', async () => {
    expect(await ask('tools/call', { name: 'gives' })).toEqual({ content: [{ type: 'text', text: 'x' }] });
  });
});

describe('results of a tool', () => {
  const image = { type: 'image', data: '', mimeType: 'image/png' };
  const output = z.object({ n: z.number() });

  it.each([
    ['a text', { text: 'x' }, { content: [{ type: 'text', text: 'x' }] }],
    ['nothing', {}, { content: [] }],
    ['content alone', { content: [image] }, { content: [image] }],
    ['a text and content', { text: 'x', content: [image] }, { content: [{ type: 'text', text: 'x' }, image] }],
    [
      'data, which are the text too',
      { structured: { n: 1 } },
      { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } },
    ],
    [
      'data with a text',
      { text: 'x', structured: { n: 1 } },
      { content: [{ type: 'text', text: 'x' }], structuredContent: { n: 1 } },
    ],
  ])('a tool may return %s', async (_, given, expected) => {
    expect(await call(gives(given))).toEqual(expected);
  });

  it('a result has only the members of its output schema', async () => {
    const result = await call(gives({ structured: { n: 1, secret: 2 } }, { output }));
    expect(result).toEqual({ content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } });
  });

  const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  it.each([
    ['data that are no object', gives({ structured: [1] })],
    ['no data where they were promised', gives({ text: 'x' }, { output })],
    ['other data than were promised', gives({ structured: { n: 'x' } }, { output })],
    [
      'other data than were promised in JSON Schema',
      gives({ structured: { n: 'x' } }, { input: undefined, inputSchema: { type: 'object' }, outputSchema: schema }),
    ],
    ['nothing that could be read', gives(undefined)],
  ])('a tool that returns %s has a fault, which is logged', async (_, tool) => {
    const { ask, lines } = methodsOver([tool]);
    const { isError, content } = await ask('tools/call', { name: 'gives' });
    expect([isError, content[0].text]).toEqual([true, expect.stringContaining('fault in this server')]);
    expect(JSON.parse(lines[0] ?? '{}')).toMatchObject({ tool: 'gives', subject: 'ada', msg: 'request failed' });
  });

  it.each(['throws at once', 'rejects'])('a tool that %s is answered with its own words, or none', async (how) => {
    const fail = (error: Error) => {
      if (how === 'rejects') return Promise.reject(error);
      throw error;
    };
    const { ask, lines } = methodsOver([
      defineTool({ ...about, name: 'own', run: () => fail(new ToolError('Try sugar.')) }),
      defineTool({ ...about, name: 'fault', run: () => fail(new Error('secret')) }),
    ]);
    expect(await ask('tools/call', { name: 'own' })).toEqual({
      content: [{ type: 'text', text: 'Try sugar.' }],
      isError: true,
    });
    expect(lines).toEqual([]);
    expect(JSON.stringify(await ask('tools/call', { name: 'fault' }))).not.toContain('secret');
    expect(lines).toHaveLength(1);
  });

  it('a cancelled call may fail without being logged', async () => {
    const { ask, lines } = methodsOver([
      defineTool({ ...about, name: 'fault', run: () => Promise.reject(new Error()) }),
    ]);
    await ask('tools/call', { name: 'fault' }, testCall({ signal: AbortSignal.abort() }));
    expect(lines).toEqual([]);
  });

  it('a synchronous tool is answered synchronously', () => {
    const { methods } = methodsOver([gives({ text: 'x' })]);
    expect(methods.get('tools/call')?.({ name: 'gives' }, testCall())).toEqual({
      content: [{ type: 'text', text: 'x' }],
    });
  });
});

describe('a caller without the scope of a tool', () => {
  const guarded = [
    { ...gives({ text: 'x' }), scope: ['mcp:admin'] },
    { ...gives({ text: 'y' }), name: 'open' },
  ];
  const names = (page: { tools: { name: string }[] }) => page.tools.map(({ name }) => name);

  it('a tool does not run without its scope, however the request arrived', async () => {
    const { ask } = methodsOver(guarded);
    await expect(ask('tools/call', { name: 'gives' })).rejects.toMatchObject({ code: -32602 });
    expect(await ask('tools/call', { name: 'gives' }, testCall({ as: 'ada-admin' }))).toMatchObject({ content: [{}] });
  });

  it('a tool without its scope is hidden from the list only where configured', async () => {
    expect(names(await methodsOver(guarded).ask('tools/list'))).toEqual(['gives', 'open']);
    const { ask } = methodsOver(guarded, { hideUnpermitted: true });
    expect(names(await ask('tools/list'))).toEqual(['open']);
    expect(names(await ask('tools/list', {}, testCall({ as: 'ada-admin' })))).toEqual(['gives', 'open']);
  });
});

describe('a client without a capability that a tool needs', () => {
  const needs = (run: (context: Context) => Promise<unknown>) =>
    methodsOver([
      defineTool({ ...about, name: 'needs', run: async (_, context) => ({ text: String(await run(context)) }) }),
    ]);
  const question = z.object({ ok: z.boolean() });
  const messages = { messages: [], maxTokens: 1 };

  it.each([
    ['elicitation', (context: Context) => context.elicit('?', question), {}, { elicitation: { form: {} } }],
    [
      'forms',
      (context: Context) => context.elicit('?', question),
      { elicitation: { url: {} } },
      { elicitation: { form: {} } },
    ],
    ['sampling', (context: Context) => context.sample(messages), {}, { sampling: {} }],
    [
      'tools in sampling',
      (context: Context) => context.sample({ ...messages, tools: [] }),
      { sampling: {} },
      { sampling: { tools: {} } },
    ],
    ['roots', (context: Context) => context.roots(), {}, { roots: {} }],
  ])(
    '%s: a missing capability is a protocol error in 2026-07-28, and a failure in words before',
    async (_, run, capabilities, required) => {
      const { methods, ask } = needs(run);
      const call = testCall({ capabilities });
      await expect(ask('tools/call', { name: 'needs' }, call)).rejects.toMatchObject({ required });
      expect(call.asked).toEqual([]);
      const old = await forSessionRevisions(methods).get('tools/call')?.({ name: 'needs' }, call);
      expect(old).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('the client does not') }] });
    },
  );

  it('a tool may handle a missing capability itself', async () => {
    const { ask } = needs((context) => context.roots().catch((error: unknown) => error instanceof ToolError));
    expect((await ask('tools/call', { name: 'needs' })).content[0].text).toBe('true');
  });
});
