/** Proves the limits of a request of a tool to its upstream: how long the answer may take and be, and which connections are used again. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headersOf, call as messageOf, meta } from '../support/stateless-harness.ts';
import { callTool, probes, textOf } from './probe.ts';
import { type Stage, startStage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage({}, { catalog: probes });
});
afterAll(() => stage[Symbol.asyncDispose]());
beforeEach(() => {
  stage.clock.advance(61);
  stage.paths.clear();
  stage.sockets.clear();
  stage.called.length = 0;
});

const ask = async (given: object) => (await callTool(stage, 'probe', { url: '/data', ...given })).body;
const onData = (begun: (res: ServerResponse) => void) => stage.paths.set('/data', () => ({ status: 200, begun }));

describe('an answer of an upstream', () => {
  it('an answer that takes longer than the tool allows, or breaks off, is said to the model', async () => {
    onData(() => {});
    const host = new URL(stage.api.url).host;
    expect(textOf(await ask({ timeout: 50 }))).toBe(`github (${host}) gave no answer in 0.05 s. Try again later.`);
    onData((res) => res.writeHead(200).write('{', () => res.destroy()));
    expect(textOf(await ask({}))).toBe('The answer of github broke off. Try again later.');
  });

  it('an answer without an end is read up to the limit of the tool, and its connection is closed', async () => {
    const closed = Promise.withResolvers<void>();
    onData((res) => {
      res.writeHead(200).once('close', closed.resolve);
      const more = (): void => void (res.write('x'.repeat(1_024)) ? setImmediate(more) : res.once('drain', more));
      more();
    });
    expect(textOf(await ask({ maxBytes: 4_096 }))).toBe('The answer of github is longer than 4096 bytes.');
    await closed.promise;
  });

  it('an answer of ten megabytes fits into the limit that a tool has without a number of its own, and one of 17 MiB does not', async () => {
    const bytes = (n: number) => stage.paths.set('/data', () => ({ status: 200, body: 'x'.repeat(n) }));
    bytes(10_000_000);
    expect(textOf(await ask({ counts: true }))).toBe('10000000');
    bytes(17 * 1_024 * 1_024);
    expect(textOf(await ask({ counts: true }))).toBe('The answer of github is longer than 16777216 bytes.');
  });

  it('an answer whose body the tool does not read ends with the call, and keeps no connection from others', async () => {
    const closed = Promise.withResolvers<void>();
    onData((res) => res.writeHead(200).once('close', closed.resolve).write('{'));
    expect(textOf(await ask({ reads: false, timeout: 600_000 }))).toBe('200  ');
    await closed.promise;
  });

  it.each([{ timeout: 0 }, { timeout: 600_001 }, { timeout: 1.5 }, { maxBytes: 0 }, { maxBytes: -1 }])(
    'a tool that asks for the limits %j fails, and nothing is sent',
    async (given) => {
      expect((await ask(given)).error ?? (await ask(given)).result.isError).toBeTruthy();
      expect(stage.called).toEqual([]);
    },
  );

  it('the end of a call ends its request at the upstream', async () => {
    const begun = Promise.withResolvers<ServerResponse>();
    onData(begun.resolve);
    const message = messageOf('probe', { url: '/data' }, { _meta: meta({}, {}) });
    const headers = { ...headersOf(message), authorization: `Bearer ${await stage.token()}` };
    const leaving = new AbortController();
    const { signal } = leaving;
    const request = fetch(`${stage.url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message), signal }).catch(
      (error: Error) => error.name,
    );
    const closed = once(await begun.promise, 'close');
    leaving.abort();
    await closed;
    expect(await request).toBe('AbortError');
  });
});

describe('the connections to an upstream', () => {
  it('requests that may be repeated use one connection, and others a new one', async () => {
    stage.paths.set('/data', () => ({ status: 200 }));
    for (let n = 0; n < 3; n += 1) await ask({});
    expect(stage.sockets.size).toBe(1);
    for (let n = 0; n < 2; n += 1) await ask({ method: 'POST', body: 'x' });
    expect(stage.sockets.size).toBe(3);
  });
});
