/** Proves that a bad request head is refused at every route before the token or body is read. */
import { rawRequest, statusOf } from '@mcp-oauth/shared/testing/raw-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../support/http-harness.ts';

let server: Harness;
beforeAll(async () => {
  server = await startHarness();
});
afterAll(() => server[Symbol.asyncDispose]());

const PATHS = [
  '/mcp',
  '/MCP/',
  '/sse',
  '/messages?session=x',
  '/',
  '/.well-known/oauth-protected-resource',
  '/.well-known/oauth-protected-resource/mcp',
  '/.well-known/oauth-authorization-server',
  '/token',
  '/register',
  '/authorize',
  '/livez',
  '/readyz',
  '/nothing/here',
];

it.each(PATHS)('RFC 9112 §3.2 two Host fields at %s are refused with 400', async (path) => {
  const { host } = new URL(server.url);
  for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE']) {
    const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, `Host: ${host}`, 'Content-Length: 0'];
    expect(statusOf(await rawRequest(server.url, head))).toBe(400);
  }
});

it.each(PATHS)('RFC 9110 §15.5.16 a compressed body at %s is refused with 415 before it arrives', async (path) => {
  const { host } = new URL(server.url);
  for (const coding of ['br', 'gzip', 'deflate', 'zstd', 'identity, br']) {
    const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 1000', `Content-Encoding: ${coding}`];
    const answer = await rawRequest(server.url, head);
    expect(statusOf(answer)).toBe(415);
    expect(answer).toMatch(/^accept-encoding: identity\r$/im);
  }
  expect(server.ran).toEqual([]);
});

describe('RFC 9112 §3.2 an invalid Host', () => {
  it.each(['/mcp', '/', '/nothing/here'])('an invalid Host at %s is refused with 400', async (path) => {
    for (const host of ['user@localhost', 'a b', 'http://localhost']) {
      expect(statusOf(await rawRequest(server.url, [`GET ${path} HTTP/1.1`, `Host: ${host}`]))).toBe(400);
    }
  });
});
