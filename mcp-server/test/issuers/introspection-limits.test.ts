/** Proves how long the answer about an opaque token is used, what made-up tokens cost, and what follows from an issuer that fails. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { createLogger } from '@mcp-oauth/shared/logger';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createQuestion } from '../../src/authorization/introspection/question.ts';
import { Queue } from '../../src/authorization/introspection/queue.ts';
import { compose } from '../../src/compose/compose.ts';
import { type ForeignServer, startServer } from '../support/foreign.ts';
import { post } from '../support/http-harness.ts';
import { type AskedIssuer, activeAnswer, startAskedIssuer } from '../support/introspection-server.ts';
import { headersOf, request } from '../support/stateless-harness.ts';

let issuer: AskedIssuer;
let server: ForeignServer;
beforeEach(async () => {
  issuer = await startAskedIssuer();
  server = await startServer(issuer.settings);
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await issuer.close();
});

async function restart(settings: Readonly<Record<string, string>>): Promise<void> {
  await server[Symbol.asyncDispose]();
  server = await startServer({ ...issuer.settings, ...settings });
}

const active = (more: object = {}) => activeAnswer(server, more);

const WHOAMI = request('tools/call', { name: 'whoami', arguments: {} });
const call = (token: string, address = '203.0.113.1') =>
  server.fetch('/mcp', post(token, WHOAMI, { ...headersOf(WHOAMI), 'x-forwarded-for': address }));
const statusOf = async (token: string, address?: string) => (await call(token, address)).status;

/** A list in a list, and so on: JSON that JavaScript reads but can't write. */
const DEEP = `${'['.repeat(15_000)}${']'.repeat(15_000)}`;
const raw = (body: string) => (response: ServerResponse) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(body);

/** Resolves when the issuer has received so many questions. */
async function asked(count: number): Promise<void> {
  while (issuer.questions.length < count) await new Promise((resolve) => setImmediate(resolve));
}

describe('what is remembered of an opaque token', () => {
  it('RFC 7662 §4 an active answer is used for ten seconds; a token that was revoked is then refused', async () => {
    issuer.known.set('opaque', active());
    expect(await statusOf('opaque')).toBe(200);
    issuer.known.delete('opaque');
    server.clock.advance(9);
    expect(await statusOf('opaque')).toBe(200);
    expect(issuer.questions).toHaveLength(1);
    server.clock.advance(1);
    expect(await server.whoami('opaque')).toMatchObject({ status: 401, reason: 'inactive', claim: 'active' });
  });

  it('an answer is not used after the token has expired, nor at all with INTROSPECTION_CACHE=0s', async () => {
    issuer.known.set('short', active({ exp: server.clock.now() / 1000 + 3 }));
    expect(await statusOf('short')).toBe(200);
    server.clock.advance(9);
    expect(await server.whoami('short')).toMatchObject({ status: 401, reason: 'expired' });
    await restart({ INTROSPECTION_CACHE: '0s' });
    issuer.known.set('opaque', active());
    await statusOf('opaque');
    issuer.known.delete('opaque');
    expect(await statusOf('opaque')).toBe(401);
  });

  it('concurrent requests with the same token cause one question', async () => {
    const { promise, resolve } = Promise.withResolvers<object>();
    issuer.known.set('opaque', promise);
    const all = Promise.all([statusOf('opaque'), statusOf('opaque'), statusOf('opaque')]);
    await asked(1);
    resolve(active());
    expect(await all).toEqual([200, 200, 200]);
    expect(issuer.questions).toHaveLength(1);
  });

  it('a token that is not active is not remembered: it is accepted as soon as the issuer knows it', async () => {
    expect(await statusOf('early')).toBe(401);
    issuer.known.set('early', active());
    expect(await statusOf('early')).toBe(200);
  });
});

describe('made-up tokens', () => {
  it('RFC 6585 §4 a caller gets 429 after its limit, and no other caller does; a token that is known is accepted', async () => {
    await restart({ INTROSPECTION_LIMIT: '3', TRUSTED_PROXIES: 'loopback', INTROSPECTION_CACHE: '60s' });
    issuer.known.set('opaque', active());
    issuer.known.set('second', active());
    expect(await statusOf('opaque')).toBe(200);
    issuer.known.set('wrong', active({ aud: 'https://other.example' }));
    for (const token of ['made-up-1', 'wrong', 'made-up-2']) expect(await statusOf(token)).toBe(401);
    const refused = await call('second');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(await statusOf('made-up-3')).toBe(429);
    expect(issuer.questions).toHaveLength(4);
    expect(await statusOf('opaque')).toBe(200);
    expect(await statusOf('second', '203.0.113.2')).toBe(200);
    server.clock.advance(60);
    expect(await statusOf('made-up-4')).toBe(401);
  });

  it('an address in a header from nobody who is trusted does not count', async () => {
    await restart({ INTROSPECTION_LIMIT: '1' });
    expect(await statusOf('made-up', '203.0.113.1')).toBe(401);
    expect(await statusOf('made-up', '203.0.113.2')).toBe(429);
    expect(server.log.join('\n')).toContain('TRUSTED_PROXIES does not include this proxy');
  });

  it('questions that are not answered yet count, also into the next minute', async () => {
    await restart({ INTROSPECTION_LIMIT: '2', TRUSTED_PROXIES: 'loopback' });
    const { promise, resolve } = Promise.withResolvers<object>();
    for (const token of ['slow-1', 'slow-2']) issuer.known.set(token, promise);
    const all = Promise.all([statusOf('slow-1'), statusOf('slow-2')]);
    await asked(2);
    expect(await statusOf('third')).toBe(429);
    server.clock.advance(60);
    expect(await statusOf('third')).toBe(429);
    expect(await statusOf('third', '203.0.113.2')).toBe(401);
    resolve(active());
    expect(await all).toEqual([200, 200]);
    expect(await statusOf('third')).toBe(401);
  });

  it('a token that the issuer rejects with 400 counts like one that it does not know', async () => {
    await restart({ INTROSPECTION_LIMIT: '1' });
    issuer.known.set('odd', (response) => void response.writeHead(400).end('{}'));
    expect([await statusOf('odd'), await statusOf('odd')]).toEqual([503, 429]);
  });

  it('CWE-770 161 callers come with a token each: 32 are asked about, 128 wait, and one gets 503', async () => {
    await restart({ INTROSPECTION_LIMIT: '1000' });
    const { promise, resolve } = Promise.withResolvers<object>();
    const calls = Array.from({ length: 161 }, (_, n) => {
      issuer.known.set(`slow-${n}`, promise);
      return statusOf(`slow-${n}`);
    });
    expect(await Promise.race([...calls, asked(33)])).toBe(503);
    await asked(32);
    expect(issuer.questions).toHaveLength(32);
    resolve(active());
    const statuses = Map.groupBy(await Promise.all(calls), (status) => status);
    expect([statuses.get(200)?.length, statuses.get(503)?.length]).toEqual([160, 1]);
  });

  it('so many questions run at the same time, so many wait in their order, and more are refused', async () => {
    const queue = new Queue(1, 2);
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const task = (name: string) => () => promise.then(() => void order.push(name));
    const running = ['a', 'b', 'c'].map((name) => queue.run(task(name)));
    await expect(queue.run(task('d'))).rejects.toThrow('too many tokens are being asked about');
    resolve();
    await Promise.all(running);
    expect(order).toEqual(['a', 'b', 'c']);
    await expect(queue.run(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    await queue.run(task('e'));
    expect(order).toHaveLength(4);
  });
});

it('CWE-770 more questions than may wait are answered 503, and the log says why', async () => {
  await restart({ INTROSPECTION_LIMIT: '1000' });
  const { promise, resolve } = Promise.withResolvers<object>();
  // 32 run and 128 wait.
  const all = Array.from({ length: 161 }, (_, n) => {
    issuer.known.set(`slow-${n}`, promise);
    return statusOf(`slow-${n}`);
  });
  expect(await Promise.race(all)).toBe(503);
  resolve(active());
  expect(Object.groupBy(await Promise.all(all), String)).toMatchObject({ 503: [503], 200: { length: 160 } });
  expect(server.log.join('\n')).toContain('"found":"too many tokens are being asked about"');
});

describe('an issuer that gives no usable answer', () => {
  it.each<[string, (issuer: AskedIssuer) => void]>([
    ['"true" in text', () => issuer.known.set('opaque', active({ active: 'true' }))],
    ['1 for true', () => issuer.known.set('opaque', active({ active: 1 }))],
    ['no active', () => issuer.known.set('opaque', active({ active: undefined }))],
    ['a list', () => issuer.known.set('opaque', [active()])],
    ['no JSON', () => issuer.known.set('opaque', (response) => void response.end('<html>'))],
    ['nothing', () => issuer.known.set('opaque', (response) => void response.writeHead(204).end())],
    ['500', () => issuer.known.set('opaque', (response) => void response.writeHead(500).end())],
    ['401, to the credentials', () => issuer.known.set('opaque', (response) => void response.writeHead(401).end())],
    [
      'no end',
      () =>
        issuer.known.set('opaque', (response) => void response.end(`${JSON.stringify(active())}${' '.repeat(70_000)}`)),
    ],
    [
      'a content coding',
      () =>
        issuer.known.set('opaque', (response) => {
          response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(JSON.stringify(active())));
        }),
    ],
    ['a member without a text', () => issuer.known.set('opaque', active({ token_use: { toString: 0, valueOf: 0 } }))],
    [
      'lists inside lists',
      () => issuer.known.set('opaque', raw(JSON.stringify(active({ x: 0 })).replace('"x":0', `"x":${DEEP}`))),
    ],
    [
      'an expiry without end',
      () => issuer.known.set('opaque', raw(JSON.stringify(active({ exp: 0 })).replace('"exp":0', '"exp":1e999'))),
    ],
    ['a closed connection', () => issuer.known.set('opaque', (response) => void response.destroy())],
  ])('%s: the answer is 503, and says nothing against the token', async (_what, prepare) => {
    prepare(issuer);
    const response = await call('opaque');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(server.log.join('\n')).toContain('"reason":"introspection_unavailable"');
  });

  it('failures are logged once for each reason, do not count for the caller, and end with the first answer', async () => {
    await restart({ INTROSPECTION_LIMIT: '2' });
    for (const status of [502, 502, 502, 401, 403]) {
      issuer.known.set('opaque', (response) => void response.writeHead(status).end());
      expect(await statusOf('opaque')).toBe(503);
    }
    issuer.known.set('opaque', active());
    expect(await statusOf('opaque')).toBe(200);
    const lines = (text: string) => server.log.filter((line) => line.includes(text));
    expect(lines('issuer does not say whether tokens are active')).toHaveLength(3);
    expect(lines('issuer says again whether tokens are active')).toHaveLength(1);
  });

  it('metadata without an introspection endpoint is an outage, and says nothing against the token', async () => {
    issuer.metadata = { ...issuer.metadata, introspection_endpoint: undefined };
    expect(await server.whoami('opaque')).toMatchObject({ status: 503, reason: 'introspection_unavailable' });
    expect(server.log.join('\n')).toContain('has no introspection_endpoint');
  });

  it('the start does not wait for keys of an issuer that has none', async () => {
    issuer.metadata = { ...issuer.metadata, jwks_uri: undefined };
    const env = { ...issuer.settings, NODE_ENV: 'test' };
    // Its clock stands still, so that it would wait for ever.
    const service = await compose(env, {
      clock: server.clock,
      log: createLogger('test', 'error', { write: () => {} }),
    });
    await service.prepare?.();
    service.drain();
    await service.close();
  });

  it('an issuer that does not end its answer is given up after a time', async () => {
    issuer.known.set('opaque', (response) => void response.writeHead(200).write('{"active":'));
    const ask = createQuestion({
      endpoint: async () => ({ url: `${issuer.url}/introspect`, answers: 'json' }),
      authenticate: async () => ({ headers: {}, form: {} }),
      fetch,
      open: () => Promise.reject(new Error('not needed')),
      timeout: 50,
    });
    await expect(ask('opaque')).rejects.toMatchObject({ name: 'Unanswered', cause: { name: 'TimeoutError' } });
  });

  it('the service is ready without the issuer, and the metrics count what it said', async () => {
    await restart({ INTROSPECTION_LIMIT: '3' });
    issuer.known.set('good', active());
    issuer.known.set('wrong', active({ aud: 'https://other.example' }));
    issuer.known.set('failing', (response) => void response.writeHead(500).end());
    for (const token of ['good', 'good', 'wrong', 'made-up-1', 'failing', 'made-up-2', 'made-up-3']) await call(token);
    const { values } = await server.scrape();
    const count = (outcome: string) => values.get(`mcp_introspections_total{outcome="${outcome}"}`);
    expect(['active', 'refused', 'inactive', 'unanswered', 'limited'].map(count)).toEqual([1, 1, 2, 1, 1]);
    expect((await server.fetch('/readyz')).status).toBe(200);
  });
});
