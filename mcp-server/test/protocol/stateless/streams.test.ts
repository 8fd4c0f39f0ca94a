/** Proves how answers of 2026-07-28 become streams, stay alive and are cancelled. */
import { once } from 'node:events';
import { LOG_LEVEL_META_KEY } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../../src/protocol/call.ts';
import { allowance } from '../../support/limits.ts';
import { frames, json, messages } from '../../support/protocol-harness.ts';
import { call, meta, post, startStateless, type TestTool } from '../../support/stateless-harness.ts';

const progress = (step: number, { progressToken = 0 }: Call) => ({
  method: 'notifications/progress' as const,
  params: { progressToken, progress: step },
});

const counts: TestTool = {
  run: async (_, call) => {
    await call.notify(progress(1, call));
    await call.notify(progress(2, call));
    return { content: [] };
  },
};

/** A tool that runs until it is told to end, or cancelled. */
function patient() {
  const ended = Promise.withResolvers<void>();
  const started = Promise.withResolvers<Call>();
  const tool: TestTool = {
    run: async (given, call) => {
      if (given.talk) await call.notify(progress(1, call));
      started.resolve(call);
      await ended.promise;
      await call.notify(progress(2, call));
      return { content: [{ type: 'text', text: 'late' }] };
    },
  };
  return { tool, started: started.promise, end: ended.resolve };
}

describe('MCP 2026-07-28 Streamable HTTP: receiving messages', () => {
  it('a call without notifications is answered with one JSON object', async () => {
    await using server = await startStateless({ tools: { quiet: { run: async () => ({ content: [] }) } } });
    const response = await post(server.url, call('quiet'));
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await json(response)).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('a call with notifications is answered with a stream, which ends with the answer', async () => {
    await using server = await startStateless({ tools: { counts } });
    const response = await post(server.url, call('counts', {}, { _meta: meta({ progressToken: 'p' }) }));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(await messages(response)).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } },
      { method: 'notifications/progress', params: { progressToken: 'p', progress: 2 } },
      { id: 1, result: { resultType: 'complete' } },
    ]);
  });

  it('CWE-770: a streamed answer counts once as unread, so that its reader gets one of more than half of the limit', async () => {
    const text = 'x'.repeat(4_000_000);
    const large: TestTool = {
      run: async (given, called) => {
        await counts.run(given, called);
        return { content: [{ type: 'text', text }] };
      },
    };
    const people = allowance({ maxBytesPerPrincipal: 6_000_000 });
    await using server = await startStateless({ tools: { large }, allowance: people });
    const [answer] = (await messages(await post(server.url, call('large')))).slice(-1);
    expect(answer.result?.content[0].text.length).toBe(text.length);
  });

  it('a client that accepts only JSON gets the answer alone, and one that accepts only streams gets a stream', async () => {
    await using server = await startStateless({ tools: { counts, quiet: { run: () => ({ content: [] }) } } });
    const plain = await post(server.url, call('counts'), { headers: { accept: 'application/json' } });
    expect(await json(plain)).toMatchObject({ result: { resultType: 'complete' } });
    const stream = await post(server.url, call('quiet'), { headers: { accept: 'text/event-stream' } });
    expect(await messages(stream)).toMatchObject([{ id: 1, result: { resultType: 'complete' } }]);
  });

  it('a call has the log level of its request, or none', async () => {
    const levels: unknown[] = [];
    const tool: TestTool = { run: (_, { logLevel }) => ({ content: [levels.push(logLevel)] }) };
    await using server = await startStateless({ tools: { tool } });
    await post(server.url, call('tool'));
    await post(server.url, call('tool', {}, { _meta: meta({ [LOG_LEVEL_META_KEY]: 'warning' }) }));
    expect(levels).toEqual([undefined, 'warning']);
  });

  it('a long call sends keep-alive comments', async () => {
    const { tool, end } = patient();
    await using server = await startStateless({ tools: { tool }, limits: { keepAlive: 0.01 } });
    const reader = frames(await post(server.url, call('tool')));
    expect((await reader.next()).value).toBe(': keep-alive');
    end();
    const rest = [];
    for await (const frame of reader) if (typeof frame !== 'string') rest.push(JSON.parse(frame.data));
    expect(rest.at(-1)).toMatchObject({ result: { content: [{ text: 'late' }] } });
  });
});

describe('MCP 2026-07-28 basic/patterns/cancellation', () => {
  it.each([{ talk: true }, { talk: false }])('a disconnection cancels the running call ($talk)', async (given) => {
    const { tool, started, end } = patient();
    await using server = await startStateless({ tools: { tool } });
    const leave = new AbortController();
    const response = post(server.url, call('tool', given), { signal: leave.signal }).catch(() => {});
    const { signal } = await started;
    if (given.talk) await response;
    const aborted = once(signal, 'abort');
    leave.abort();
    await aborted;
    end();
    expect(signal.aborted).toBe(true);
  });

  it('a call that was cancelled before the tool looked has an aborted signal', async () => {
    const { tool, started } = patient();
    await using server = await startStateless({ tools: { tool } });
    const leave = new AbortController();
    post(server.url, call('tool'), { signal: leave.signal }).catch(() => {});
    const running = await started;
    leave.abort();
    await expect.poll(() => running.signal.aborted).toBe(true);
  });

  it('a call that outlasts the shutdown is answered with 503', async () => {
    const { tool, started } = patient();
    await using server = await startStateless({ tools: { tool } });
    const response = post(server.url, call('tool'));
    const { signal } = await started;
    server.stateless.drain();
    expect(signal.aborted).toBe(false);
    await server.stateless.close();
    expect(signal.aborted).toBe(true);
    expect((await response).status).toBe(503);
  });
});
