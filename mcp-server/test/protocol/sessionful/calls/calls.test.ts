/** Proves the outcomes of a call: refusals, failures, questions, cancellation (MCP 2025-11-25 server/tools). */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createCatalog } from '../../../../src/protocol/catalog/catalog.ts';
import { defineTool, ToolError } from '../../../../src/protocol/define.ts';
import {
  call,
  definitions,
  type Frame,
  frames,
  json,
  messages,
  messagesOf,
  openSession,
  request,
  send,
  startMcp,
  type TestMcp,
} from '../../../support/protocol-harness.ts';

const aborted = Promise.withResolvers<unknown>();
const base = { title: 'A test', description: 'Only for tests.', input: z.object({}) };

/** The outcome of what a tool does after its answer. */
const afterwards = Promise.withResolvers<readonly PromiseSettledResult<unknown>[]>();

const broken = [
  defineTool({ ...base, name: 'refuses', run: () => Promise.reject(new ToolError('Try with sugar.')) }),
  defineTool({ ...base, name: 'crashes', run: () => Promise.reject(new Error('secret detail')) }),
  defineTool({
    ...base,
    name: 'lies',
    output: z.object({ n: z.number() }),
    run: () => ({ text: 'x', structured: { n: 'one' as unknown as number } }),
  }),
  defineTool({
    ...base,
    name: 'waits',
    run: async (_, { signal, progress }) => {
      await progress(0);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve());
      await promise;
      aborted.resolve(signal.reason);
      return { text: 'never read' };
    },
  }),
  defineTool({
    ...base,
    name: 'goes_on_after_its_answer',
    run: (_, { log, progress, roots }) => {
      const late = Promise.resolve().then(() => Promise.allSettled([log('info', 'late'), progress(1), roots()]));
      late.then(afterwards.resolve, afterwards.reject);
      return { text: 'early' };
    },
  }),
  defineTool({
    ...base,
    name: 'awaits_nothing',
    run: async (_, { progress }) => {
      for (let n = 1; n <= 40; n += 1) {
        progress(n).catch(() => {});
        await undefined;
      }
      return { text: 'done' };
    },
  }),
  defineTool({
    ...base,
    name: 'asks_too_much',
    run: async (_, { elicit }) => {
      await elicit('?', z.object({ nested: z.object({}) }));
      return { text: 'x' };
    },
  }),
];

let mcp: TestMcp;
beforeAll(async () => {
  mcp = await startMcp({ catalog: createCatalog([...definitions, ...broken]) });
});
afterAll(() => mcp[Symbol.asyncDispose]());

const post = async (message: unknown, session: string, as = 'ada') =>
  json(await send(mcp.url, message, { session, as }));

describe('MCP 2025-11-25 server/tools: errors', () => {
  it('an unknown tool is answered with -32602, not as a tool result', async () => {
    const session = await openSession(mcp.url);
    const { error } = await post(call(1, 'nope'), session);
    expect(error).toEqual({ code: -32602, message: 'Unknown tool: nope' });
    for (const name of ['constructor', '__proto__'])
      expect((await post(call(1, name), session)).error.code).toBe(-32602);
  });

  it('an invalid argument is a tool error that says which argument is wrong and what is expected', async () => {
    const session = await openSession(mcp.url);
    const { result } = await post(call(1, 'sum', { a: 'one', c: 3 }), session);
    expect(result.isError).toBe(true);
    expect(result.content[0].text).toBe(
      [
        'sum was not run, its arguments are not valid:',
        '- a: expected number, received string',
        '- b: expected number, received undefined',
        '- Unrecognized key: "c"',
        'It takes: a, b.',
      ].join('\n'),
    );
  });

  it("a tool's own failure is passed on word for word", async () => {
    const { result } = await post(call(1, 'refuses'), await openSession(mcp.url));
    expect(result).toEqual({ isError: true, content: [{ type: 'text', text: 'Try with sugar.' }] });
  });

  it.each(['crashes', 'lies', 'asks_too_much'])(
    'a fault of the tool %s is answered with a reference to the log, and no secret',
    async (name) => {
      const session = await openSession(mcp.url, 'ada', '2025-11-25', { elicitation: {} });
      const before = mcp.lines.length;
      const { result } = await post(call(1, name), session);
      expect(result.isError).toBe(true);
      expect(result.content[0].text).toMatch(/recorded under the reference [0-9a-f]{8}/);
      expect(JSON.stringify(result)).not.toMatch(/secret|stack|flat/);
      const line = mcp.lines.slice(before).find((entry) => entry.includes('request failed'));
      expect(JSON.parse(line ?? '{}')).toMatchObject({
        tool: name,
        subject: 'ada',
        err: { stack: expect.any(String) },
      });
    },
  );

  it('a tool runs only with its scope in the token of that very call', async () => {
    const session = await openSession(mcp.url);
    const refused = await post(call(1, 'server_status'), session);
    expect(refused.error).toEqual({ code: -32602, message: 'server_status needs the scope mcp:admin' });
    const { result } = await post(call(2, 'server_status'), session, 'ada-admin');
    expect(result.structuredContent).toMatchObject({ name: 'test', version: '1.2.3', uptime_seconds: 0 });
    expect(result.structuredContent.open_sessions).toBe(await mcp.endpoints.sessions.count());
  });

  it('an invalid cursor is refused', async () => {
    const { error } = await post(request(1, 'tools/list', { cursor: '' }), await openSession(mcp.url));
    expect(error.code).toBe(-32602);
  });
});

describe('MCP 2025-11-25 server/tools: listing', () => {
  it('a long list of tools is paged, each tool once and in order', async () => {
    const names = Array.from({ length: 205 }, (_, i) => `tool_${String(i).padStart(3, '0')}`);
    const many = names.map((name) => defineTool({ ...base, name, run: () => ({ text: name }) }));
    await using large = await startMcp({ catalog: createCatalog(many.reverse()) });
    const session = await openSession(large.url);
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await json(await send(large.url, request(1, 'tools/list', cursor ? { cursor } : {}), { session }));
      listed.push(...page.result.tools.map(({ name }: { name: string }) => name));
      cursor = page.result.nextCursor;
    } while (cursor);
    expect(listed).toEqual(names);
  });
});

describe('MCP 2025-11-25 client/elicitation', () => {
  const ask = call(1, 'confirm', { question: 'Really?' });

  async function answer(content: object) {
    const session = await openSession(mcp.url, 'ada', '2025-11-25', { elicitation: {} });
    const stream = await send(mcp.url, ask, { session });
    const incoming = messagesOf(stream);
    const asked = (await incoming.next()).value;
    expect(asked.method).toBe('elicitation/create');
    await send(mcp.url, { jsonrpc: '2.0', id: asked.id, ...content }, { session });
    return (await incoming.next()).value.result;
  }

  it.each([
    [{ result: { action: 'accept', content: { confirmed: false } } }, { answer: 'no' }],
    [{ result: { action: 'decline' } }, { answer: 'declined' }],
    [{ result: { action: 'cancel' } }, { answer: 'cancelled' }],
  ])('the answer %j of the client becomes %j', async (content, expected) => {
    expect((await answer(content)).structuredContent).toEqual(expected);
  });

  it.each([
    [{ result: { action: 'accept', content: { confirmed: 'maybe' } } }, 'does not match'],
    [{ error: { code: -32603, message: 'no window' } }, 'could not be asked'],
  ])('the answer %j of the client is a tool error', async (content, reason) => {
    const result = await answer(content);
    expect([result.isError, result.content[0].text]).toEqual([true, expect.stringContaining(reason)]);
  });

  it.each([[{}], [{ elicitation: { url: {} } }]])(
    'an elicitation fails clearly when the client supports only %j',
    async (capabilities) => {
      const session = await openSession(mcp.url, 'ada', '2025-11-25', capabilities);
      const { result } = await post(ask, session);
      expect([result.isError, result.content[0].text]).toEqual([true, expect.stringContaining('does not support')]);
    },
  );

  it('an elicitation fails at once when the client accepts no stream', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-11-25', { elicitation: {} });
    const response = await send(mcp.url, ask, { session, headers: { Accept: 'application/json' } });
    expect((await json(response)).result.isError).toBe(true);
  });
});

describe('MCP 2025-11-25 basic/utilities/cancellation', () => {
  it("a cancellation aborts the tool's signal with the reason, and ends the stream without an answer", async () => {
    const session = await openSession(mcp.url);
    const stream = await send(mcp.url, call(7, 'waits', {}, { _meta: { progressToken: 1 } }), { session });
    const params = { requestId: 7, reason: 'changed my mind' };
    await send(mcp.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params }, { session });
    expect(await aborted.promise).toMatchObject({ name: 'AbortError', message: 'changed my mind' });
    expect((await messages(stream)).filter(({ id }) => id === 7)).toEqual([]);
  });

  it('a cancelled call without a stream is answered with 202', async () => {
    const session = await openSession(mcp.url);
    const waiting = send(mcp.url, call(8, 'waits'), { session });
    await expect.poll(() => mcp.endpoints.isRunning(session, 8)).toBe(true);
    await send(mcp.url, { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 8 } }, { session });
    expect((await waiting).status).toBe(202);
  });

  it('MCP 2025-11-25 basic/transports "Sending Messages to the Server": a call whose session ends gets an error on its stream', async () => {
    const session = await openSession(mcp.url);
    const stream = await send(mcp.url, call(9, 'waits', {}, { _meta: { progressToken: 1 } }), { session });
    await send(mcp.url, undefined, { method: 'DELETE', session });
    const error = { code: -32001, message: 'Session not found' };
    expect((await messages(stream)).filter(({ id }) => id === 9)).toEqual([{ jsonrpc: '2.0', id: 9, error }]);
  });

  it('MCP 2025-11-25 basic/transports "Resumability and Redelivery": the connection that has resumed the stream gets the error', async () => {
    const session = await openSession(mcp.url);
    const stream = frames(await send(mcp.url, call(9, 'waits', {}, { _meta: { progressToken: 1 } }), { session }));
    const { value: progress } = await stream.next();
    const headers = { 'Last-Event-ID': (progress as Frame).id };
    const resumed = await send(mcp.url, undefined, { method: 'GET', session, headers });
    await send(mcp.url, undefined, { method: 'DELETE', session });
    const error = { code: -32001, message: 'Session not found' };
    expect(await messages(resumed)).toEqual([{ jsonrpc: '2.0', id: 9, error }]);
  });

  it('a call that was not answered when the server stops gets no error: its session goes on, and the stream is resumed elsewhere', async () => {
    const stopping = await startMcp({ catalog: createCatalog([...definitions, ...broken]) });
    const session = await openSession(stopping.url);
    const stream = await send(stopping.url, call(9, 'waits', {}, { _meta: { progressToken: 1 } }), { session });
    await stopping[Symbol.asyncDispose]();
    expect((await messages(stream)).filter(({ id }) => id === 9)).toEqual([]);
  });
});

describe('MCP 2025-11-25 server/tools: what a tool does besides its answer', () => {
  it('messages after the answer are dropped without an error, and a question then fails and leaves nothing running', async () => {
    const session = await openSession(mcp.url, 'ada', '2025-11-25', { roots: {} });
    const message = call(1, 'goes_on_after_its_answer', {}, { _meta: { progressToken: 'p' } });
    expect((await post(message, session)).result).toMatchObject({ content: [{ text: 'early' }] });
    expect((await afterwards.promise).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(mcp.endpoints.running()).toBe(0);
    expect(mcp.endpoints.isRunning(session, 1)).toBe(false);
  });

  it('MCP basic/utilities/progress: progress that a tool does not await arrives in its order, before the answer', async () => {
    const session = await openSession(mcp.url);
    const message = call(1, 'awaits_nothing', {}, { _meta: { progressToken: 'p' } });
    const said = await messages(await send(mcp.url, message, { session }));
    const steps = said.flatMap(({ params }) => (params ? [params.progress] : []));
    expect(steps).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
    expect(said.at(-1)?.result).toMatchObject({ content: [{ text: 'done' }] });
  });
});
