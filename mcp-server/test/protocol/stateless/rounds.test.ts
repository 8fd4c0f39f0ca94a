/** Proves that a call can ask its client, over as many rounds as it takes (MCP 2026-07-28 basic/patterns/mrtr). */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Call, ClientRequest } from '../../../src/protocol/call.ts';
import { messages } from '../../support/protocol-harness.ts';
import {
  answerTo,
  call,
  meta,
  methodsOf,
  post,
  request,
  startStateless,
  type TestStateless,
  type TestTool,
} from '../../support/stateless-harness.ts';

const question = (message: string, key?: string): ClientRequest => ({
  method: 'elicitation/create',
  params: { message, requestedSchema: { type: 'object', properties: { value: { type: 'string' } } } },
  ...(key && { key }),
});
const valueIn = (answer: unknown) => (answer as { content: { value: string } }).content.value;
const say = (value: string) => ({ action: 'accept', content: { value } });
const text = (value: string) => ({ content: [{ type: 'text', text: value }] });
const everything = { elicitation: {}, sampling: {}, roots: {} };

const left: Call[] = [];

const tools: Readonly<Record<string, TestTool>> = {
  greet: { run: async (_, call) => text(`Hello, ${valueIn(await call.ask(question('Who?', 'who')))}!`) },
  /** Asks this many questions, one after the other. */
  steps: {
    run: async ({ count = 0 }, call) => {
      const answers = [];
      for (let n = 0; n < Number(count); n += 1) answers.push(valueIn(await call.ask(question(`Step ${n}?`))));
      return text(answers.join());
    },
  },
  together: {
    run: async (_, call) => {
      const asked: ClientRequest[] = [
        question('Name?', 'name'),
        { method: 'sampling/createMessage', params: { messages: [], maxTokens: 5 }, key: 'greeting' },
        { method: 'roots/list', params: {}, key: 'roots' },
      ];
      return text(JSON.stringify(await Promise.all(asked.map((one) => call.ask(one)))));
    },
  },
  /** Two branches, each of which asks twice. */
  branches: {
    run: async (_, call) => {
      const branch = async (name: string) => {
        const first = valueIn(await call.ask(question(`${name}1`)));
        return `${name}: ${first} ${valueIn(await call.ask(question(`${name}2 after ${first}`)))}`;
      };
      return text((await Promise.all(['a', 'b'].map(branch))).join('; '));
    },
  },
  twice: {
    run: async (_, call) =>
      text([await call.ask(question('Same?')), await call.ask(question('Same?'))].map(valueIn).join()),
  },
  leaves: {
    run: async (_, call) => {
      left.push(call);
      call.signal.throwIfAborted();
      await call.ask(question('Anybody?'));
      return text('never');
    },
  },
  talks: {
    run: async (_, call) => {
      await call.notify({ method: 'notifications/progress', params: { progressToken: 1, progress: 1 } });
      return text(valueIn(await call.ask(question('Well?'))));
    },
  },
  /** Takes three rounds, of which the first asks. */
  patient: {
    run: async (_, call) => {
      const who = valueIn(await call.ask(question('Who?', 'who')));
      const rounds = Number(call.rounds?.known('rounds') ?? 0);
      call.rounds?.note('rounds', rounds + 1);
      return rounds < 2 ? call.rounds?.again() : text(`${who} after ${rounds}`);
    },
  },
  hasty: {
    run: async (_, call) => {
      call.ask(question('Nobody waits for this'));
      return text('done');
    },
  },
};

const methods = methodsOf(tools, {
  'prompts/get': async (_, call) => ({ messages: [valueIn(await call.ask(question('Context?')))] }),
  'resources/read': async (_, call) => ({ contents: [valueIn(await call.ask(question('Which?')))] }),
  'prompts/list': async (_, call) => call.ask(question('May I?')),
});

let server: TestStateless;
beforeAll(async () => {
  server = await startStateless({ tools, methods });
});
afterAll(() => server[Symbol.asyncDispose]());

interface Round {
  readonly inputResponses?: unknown;
  readonly requestState?: unknown;
}

const ask = async (name: string, given: object = {}, round: Round = {}, as = 'ada') =>
  (
    await answerTo(server.url, call(name, given, { _meta: meta({}, everything), ...round }), {
      headers: { authorization: `Bearer ${as}` },
    })
  ).body;

const complete = (value: string) => ({ resultType: 'complete', content: [{ type: 'text', text: value }] });

describe('MCP 2026-07-28 basic/patterns/mrtr: basic workflow', () => {
  it('a request ends with the question, and the next one with the answer is completed', async () => {
    const { result } = await ask('greet');
    expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
    expect(result.inputRequests).toEqual({ who: { method: 'elicitation/create', params: question('Who?').params } });
    expect(result).not.toHaveProperty('ttlMs');
    const { requestState } = result;
    const { result: last } = await ask('greet', {}, { inputResponses: { who: say('Ada') }, requestState });
    expect(last).toMatchObject(complete('Hello, Ada!'));
  });

  it('a round without a question has a state alone, with which the client sends the request at once', async () => {
    let round: Round = { inputResponses: { who: say('Ada') } };
    for (let n = 0; n < 2; n += 1) {
      const { result } = await ask('patient', {}, round);
      expect(result).toMatchObject({ resultType: 'input_required', requestState: expect.any(String) });
      expect(result).not.toHaveProperty('inputRequests');
      round = { requestState: result.requestState };
    }
    expect((await ask('patient', {}, round)).result).toMatchObject(complete('Ada after 2'));
    expect((await ask('patient', {}, round, 'bob')).error).toMatchObject({ code: -32602 });
  });

  it('the client of the SDK goes through rounds with and without a question', async () => {
    const options = {
      capabilities: { elicitation: { form: {} } },
      versionNegotiation: { mode: { pin: '2026-07-28' } },
    };
    const client = new Client({ name: 'test', version: '0' }, options);
    client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { value: 'Ada' } }));
    await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
    const { content } = await client.callTool({ name: 'patient', arguments: {} });
    expect(content).toEqual([{ type: 'text', text: 'Ada after 2' }]);
    await client.close();
  });

  it('an answer that is sent before its question is used', async () => {
    expect(
      (await ask('greet', {}, { inputResponses: { who: say('Ada'), other: { any: 'thing' } } })).result,
    ).toMatchObject(complete('Hello, Ada!'));
  });

  it('a question without an answer is asked again', async () => {
    const { result } = await ask('greet', {}, { inputResponses: { wrong: say('Ada') } });
    expect(Object.keys(result.inputRequests)).toEqual(['who']);
  });

  it('the answers of all earlier rounds are carried along, each round with another state', async () => {
    const states = new Set();
    let round: Round = {};
    for (let n = 0; n < 5; n += 1) {
      const { result } = await ask('steps', { count: 5 }, round);
      const [[key, asked]] = Object.entries(result.inputRequests) as [[string, ClientRequest]];
      expect(asked.params.message).toBe(`Step ${n}?`);
      states.add(result.requestState);
      round = { inputResponses: { [key]: say(`answer ${n}`) }, requestState: result.requestState };
    }
    expect(states.size).toBe(5);
    expect((await ask('steps', { count: 5 }, round)).result).toMatchObject(
      complete('answer 0,answer 1,answer 2,answer 3,answer 4'),
    );
  });

  it('all questions that are open at the same time are asked together', async () => {
    const { result } = await ask('together');
    expect(Object.values(result.inputRequests as Record<string, ClientRequest>).map(({ method }) => method)).toEqual([
      'elicitation/create', 'sampling/createMessage', 'roots/list',
    ]); // biome-ignore format: one list
    const greeting = { role: 'assistant', content: { type: 'text', text: 'Hi' }, model: 'm' };
    const roots = { roots: [{ uri: 'file:///x' }] };
    const inputResponses = { name: say('Ada'), greeting, roots };
    const last = await ask('together', {}, { inputResponses, requestState: result.requestState });
    expect(JSON.parse(last.result.content[0].text)).toEqual([say('Ada'), greeting, roots]);
  });

  it('a question is identified by its content, in whatever order the answers come', async () => {
    const keyOf = (result: { inputRequests: Record<string, ClientRequest> }, message: string) =>
      Object.entries(result.inputRequests).find(([, { params }]) => params.message === message)?.[0] ?? 'none';
    const { result: first } = await ask('branches');
    const { result: second } = await ask(
      'branches',
      {},
      { inputResponses: { [keyOf(first, 'b1')]: say('B') }, requestState: first.requestState },
    );
    expect(Object.keys(second.inputRequests)).toHaveLength(2);
    const inputResponses = { [keyOf(second, 'a1')]: say('A'), [keyOf(second, 'b2 after B')]: say('BB') };
    const { result: third } = await ask('branches', {}, { inputResponses, requestState: second.requestState });
    const last = { inputResponses: { [keyOf(third, 'a2 after A')]: say('AA') }, requestState: third.requestState };
    expect((await ask('branches', {}, last)).result).toMatchObject(complete('a: A AA; b: B BB'));
  });

  it('the same question asked twice gets two answers', async () => {
    const { result: first } = await ask('twice');
    const [one = ''] = Object.keys(first.inputRequests);
    const { result: second } = await ask(
      'twice',
      {},
      { inputResponses: { [one]: say('yes') }, requestState: first.requestState },
    );
    const [two = ''] = Object.keys(second.inputRequests);
    expect(two).not.toBe(one);
    const { result } = await ask(
      'twice',
      {},
      { inputResponses: { [two]: say('no') }, requestState: second.requestState },
    );
    expect(result).toMatchObject(complete('yes,no'));
  });

  it('the run that asked is cancelled', async () => {
    const { signal } = await ask('leaves').then(() => left.at(-1) as Call);
    expect(signal.aborted).toBe(true);
  });

  it('a tool that does not await its question keeps its result', async () => {
    expect((await ask('hasty')).result).toMatchObject(complete('done'));
  });

  it('a stream ends with the question', async () => {
    const response = await post(server.url, call('talks', {}, { _meta: meta({ progressToken: 1 }, everything) }));
    expect(await messages(response)).toMatchObject([
      { method: 'notifications/progress' },
      { id: 1, result: { resultType: 'input_required' } },
    ]);
  });

  it.each([
    ['prompts/get', { name: 'x' }, 'messages'],
    ['resources/read', { uri: 'test://x' }, 'contents'],
  ])('%s may ask, too', async (method, params, member) => {
    const asks = request(method, { ...params, _meta: meta({}, everything) });
    const { result } = (await answerTo(server.url, asks)).body;
    expect(result).not.toHaveProperty('ttlMs');
    const [key = ''] = Object.keys(result.inputRequests);
    const round = { inputResponses: { [key]: say('this') }, requestState: result.requestState };
    const { body } = await answerTo(server.url, { ...asks, params: { ...asks.params, ...round } });
    expect(body.result).toMatchObject({ resultType: 'complete', [member]: ['this'] });
  });

  it('no other method may ask', async () => {
    expect((await answerTo(server.url, request('prompts/list'))).body.error).toEqual({
      code: -32603,
      message: 'Internal error',
    });
  });
});

describe('MCP 2026-07-28 basic/patterns/mrtr: error handling', () => {
  it.each([
    ['inputResponses that are text', { inputResponses: 'none' }],
    ['inputResponses that are an array', { inputResponses: [1] }],
    ['an answer that is a number', { inputResponses: { who: 12345 } }],
    ['an answer to another kind of question', { inputResponses: { who: { roots: [] } } }],
    ['a requestState that is no text', { requestState: {} }],
    ['a requestState that is empty', { requestState: '' }],
    ['a requestState that is too long', { requestState: 'x'.repeat(600_000) }],
  ])('a request with %s is answered with -32602', async (_, round) => {
    expect((await ask('greet', {}, round)).error.code).toBe(-32602);
  });

  it('CWE-772: a request that a wrong answer has ended does not count as running any more', async () => {
    const before = server.stateless.running();
    expect((await ask('greet', {}, { inputResponses: { who: { roots: [] } } })).error.code).toBe(-32602);
    expect(server.stateless.running()).toBe(before);
  });

  it('answers that are too long to be carried along are refused', async () => {
    const { result } = await ask('steps', { count: 2 });
    const [key = ''] = Object.keys(result.inputRequests);
    const round = { inputResponses: { [key]: say('x'.repeat(500_000)) }, requestState: result.requestState };
    expect((await ask('steps', { count: 2 }, round)).error.code).toBe(-32602);
  });
});

describe('MCP 2026-07-28 basic/patterns/mrtr: requestState as untrusted input', () => {
  const asked = async (as = 'ada') => {
    const { result } = await ask('steps', { count: 1 }, {}, as);
    const [key = ''] = Object.keys(result.inputRequests);
    return { inputResponses: { [key]: say('x') }, requestState: result.requestState as string };
  };

  it.each(['bob', 'ada-elsewhere', 'ada-at-another-issuer'])(
    'a requestState is refused for another principal (%s)',
    async (other) => {
      expect((await ask('steps', { count: 1 }, await asked(), other)).error.code).toBe(-32602);
    },
  );

  it('a requestState is valid with a newer token, and with arguments in another order', async () => {
    expect((await ask('steps', { count: 1 }, await asked(), 'ada-later')).result).toMatchObject(complete('x'));
    const { result } = await ask('steps', { count: 1, a: { b: 1, c: 2 } });
    expect(
      (await ask('steps', { a: { c: 2, b: 1 }, count: 1 }, { ...(await asked()), requestState: result.requestState }))
        .result,
    ).toMatchObject(complete('x'));
  });

  it('a requestState is refused for other arguments, another tool or method', async () => {
    const round = await asked();
    expect((await ask('steps', { count: 2 }, round)).error.code).toBe(-32602);
    expect((await ask('greet', { count: 1 }, round)).error.code).toBe(-32602);
    const prompt = request('prompts/get', { name: 'steps', arguments: { count: 1 }, ...round });
    expect((await answerTo(server.url, prompt)).body.error.code).toBe(-32602);
  });

  it('a requestState expires after a quarter of an hour', async () => {
    const round = await asked();
    server.clock.advance(14 * 60);
    expect((await ask('steps', { count: 1 }, round)).result).toMatchObject(complete('x'));
    server.clock.advance(60);
    expect((await ask('steps', { count: 1 }, round)).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('expired'),
    });
  });

  it('an altered requestState is refused and runs nothing', async () => {
    const { inputResponses, requestState } = await asked();
    const spot = fc.nat(requestState.length - 1);
    const altered = fc.oneof(
      fc.constant(`${requestState}-TAMPERED`),
      fc
        .tuple(spot, fc.string({ minLength: 1, maxLength: 2 }))
        .map(([at, s]) => requestState.slice(0, at) + s + requestState.slice(at + s.length)),
      fc
        .tuple(spot, fc.integer({ min: 1, max: 5 }))
        .map(([at, n]) => requestState.slice(0, at) + requestState.slice(at + n)),
    );
    await fc.assert(
      fc.asyncProperty(altered, async (state) => {
        fc.pre(state !== requestState);
        const { error } = await ask('steps', { count: 1 }, { inputResponses, requestState: state });
        expect(error).toMatchObject({ code: -32602, message: expect.stringContaining('requestState') });
      }),
      { numRuns: 300 },
    );
  });
});

describe('MCP 2026-07-28 basic/patterns/mrtr: unavailable keys', () => {
  it('a request that needs the keys is answered with 503, and others are served', async () => {
    const away = () => Promise.reject(new Error('away'));
    await using dark = await startStateless({ tools, keys: { current: away, find: away } });
    const asks = await post(dark.url, call('greet', {}, { _meta: meta({}, everything) }));
    expect([asks.status, asks.headers.get('retry-after')]).toEqual([503, '10']);
    const returns = await answerTo(dark.url, call('greet', {}, { requestState: 'abcdefgh.'.padEnd(60, 'A') }));
    expect([returns.status, returns.body.error.code]).toEqual([503, -32603]);
    expect((await answerTo(dark.url, call('hasty'))).status).toBe(200);
  });
});
