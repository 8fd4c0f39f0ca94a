/** Proves that metadata and keys from memory equal those of the engine, for every form of HTTP request. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../support/running-server.ts';

const PATHS = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks'] as const;

describe.each(PATHS)('RFC 9110 §9.3 %s', (path) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const seen = async (target: string, init: RequestInit = {}) => {
    const response = await server.fetch(target, init);
    const { 'x-request-id': id, date, connection, 'keep-alive': _, ...headers } = Object.fromEntries(response.headers);
    return { id, status: response.status, headers, body: await response.text() };
  };

  it('a document is the same at the first and every later request, also with a query', async () => {
    const { id, ...first } = await seen(path, { headers: { origin: 'https://app.example' } });
    const { id: nextId, ...next } = await seen(path);
    expect(first.status).toBe(200);
    expect(first.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=300',
      'content-type': path === '/jwks' ? 'application/jwk-set+json; charset=utf-8' : 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
    expect(first.headers).not.toHaveProperty('vary');
    expect(next).toEqual(first);
    expect((await seen(`${path}?v=1`)).body).toBe(first.body);
    expect(id).not.toBe(nextId);
  });

  it('§9.3.2 HEAD has the headers and no body', async () => {
    const { headers } = await seen(path);
    expect(await seen(path, { method: 'HEAD' })).toMatchObject({ status: 200, headers, body: '' });
  });

  it('§13.1.2 a cached document is answered with 304, for each form of the condition', async () => {
    const { headers } = await seen(path);
    const { etag = '' } = headers;
    const statusFor = async (condition: string, more: Record<string, string> = {}) =>
      (await seen(path, { headers: { 'if-none-match': condition, 'cache-control': 'max-age=0', ...more } })).status;
    for (const condition of [etag, `W/${etag}`, `"a", ${etag}`, '*']) expect(await statusFor(condition)).toBe(304);
    for (const condition of ['"a"', 'a', '']) expect(await statusFor(condition)).toBe(200);
    expect(await statusFor(etag, { 'cache-control': 'no-cache' })).toBe(200);
    expect(await seen(path, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })).toMatchObject({
      headers: { etag, 'cache-control': headers['cache-control'], 'access-control-allow-origin': '*' },
      body: '',
    });
  });

  it("a document has the engine's answer for every other method and path", async () => {
    const { body } = await seen(path);
    expect((await seen(`${path}/`)).body).toBe(body);
    expect((await seen(path, { method: 'POST' })).status).toBe(404);
    expect((await seen(path, { method: 'DELETE' })).status).toBe(404);
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    expect(await seen(path, { method: 'OPTIONS', headers: preflight })).toMatchObject({
      status: 204,
      headers: { 'access-control-allow-origin': '*', 'access-control-allow-methods': 'GET' },
    });
  });

  it('a request for a document is logged at debug level only', async () => {
    await seen(path);
    expect(server.log.filter((line) => line.path === path).at(-1)).toMatchObject({ level: 'debug', msg: 'request' });
  });

  it('a variant of the path that a caller makes up is not cached', async () => {
    const { body } = await seen(path);
    for (let n = 0; n < 20; n += 1) await seen(path.toUpperCase().slice(0, -n) + path.slice(path.length - n));
    expect((await seen(path)).body).toBe(body);
  });
});
