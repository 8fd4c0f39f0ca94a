/** Proves that a bad request head is refused at every route before the body is read. */
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { rawRequest, statusOf } from '@mcp-oauth/shared/testing/raw-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { form, type RunningServer, startServer } from '../support/running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const POSTS = [
  '/interaction/x/approve',
  '/interaction/x/deny',
  '/token',
  '/par',
  '/register',
  '/register/some-client',
  '/revoke',
  '/authorize',
  '/callback/acme',
  '/nothing/here',
  '/',
];
const READS = [
  '/jwks',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/livez',
  '/readyz',
];

describe('RFC 9110 §15.5.16 a compressed body', () => {
  it.each(POSTS)('a compressed body at %s is refused with 415 before it arrives', async (path) => {
    const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 1000000', 'Content-Encoding: br'];
    const answer = await rawRequest(server.address, head);
    expect(statusOf(answer)).toBe(415);
    expect(answer).toMatch(/^accept-encoding: identity\r$/im);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
  });

  it.each(READS)('a Content-Encoding on a GET of %s is refused with 415', async (path) => {
    await server.fetch(path);
    const head = [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Content-Encoding: gzip'];
    expect(statusOf(await rawRequest(server.address, head))).toBe(415);
  });

  it.each([
    ['gzip', gzipSync('grant_type=authorization_code')],
    ['br', brotliCompressSync('grant_type=authorization_code')],
  ])('a body in %s is refused with 415, and an uncompressed body reaches the engine', async (coding, body) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const packed = { method: 'POST', headers: { ...headers, 'content-encoding': coding }, body };
    expect((await server.fetch('/token', packed)).status).toBe(415);
    const plain = { method: 'POST', headers: { ...headers, 'content-encoding': 'identity' }, body: 'grant_type=x' };
    expect((await server.fetch('/token', plain)).status).toBe(400);
  });
});

describe('RFC 9112 §3.2 two Host fields', () => {
  it.each([...POSTS, ...READS])('two Host fields at %s are refused with 400', async (path) => {
    await server.fetch(path);
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const head = [`${method} ${path} HTTP/1.1`, 'Host: localhost:9000', 'Host: localhost:9000', 'Content-Length: 0'];
      expect(statusOf(await rawRequest(server.address, head))).toBe(400);
    }
  });
});

describe('a sign-in form', () => {
  const post = (headers: Readonly<Record<string, string>>) => [
    'POST /interaction/some-uid/approve HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Length: 5000',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];

  it("a form of a browser without the interaction's cookie is refused before its body arrives", async () => {
    expect(statusOf(await rawRequest(server.address, post({})))).toBe(400);
  });

  it('Fetch Metadata: a form of another site is refused before its body arrives', async () => {
    expect(statusOf(await rawRequest(server.address, post({ 'Sec-Fetch-Site': 'cross-site' })))).toBe(403);
  });

  it('an oversized form without an interaction is refused with 400', async () => {
    const response = await server.fetch('/interaction/some-uid/deny', form({ token: 'x'.repeat(20_000) }));
    expect(response.status).toBe(400);
  });
});
