/** Proves that every kind of answer of the lane has the headers that all answers have, each of them once. */
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compose } from '../../../src/compose/compose.ts';
import { signingKey, signToken, startIssuer } from '../../support/issuer.ts';
import { initialize, request } from '../../support/protocol-harness.ts';
import { headersOf, request as statelessRequest } from '../../support/stateless-harness.ts';

const PAGE = 'http://page.example';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

type Ask = (path: string, init?: RequestInit) => Promise<Response>;

let ask: Ask;
let session: string;
const cleanUp = new AsyncDisposableStack();

beforeAll(async () => {
  let handler: RequestListener = () => {};
  const server = await serve((req, res) => handler(req, res));
  const [issuer, key] = [await startIssuer(), await signingKey('key-1')];
  issuer.keys.push(key.publicJwk);
  const env = { PUBLIC_URL: server.url, ISSUER: issuer.url, ALLOWED_ORIGINS: PAGE, NODE_ENV: 'test' };
  const service = await compose(env, { log: createLogger('test', 'silent') });
  handler = service.handler;
  cleanUp.defer(async () => {
    service.drain();
    await server.close();
    await service.close();
    await issuer.close();
  });
  const now = Math.floor(Date.now() / 1000);
  const about = { iss: issuer.url, aud: `${server.url}/mcp`, scope: 'mcp:tools', iat: now, exp: now + 600 };
  const token = await signToken({ key, claims: { ...about, sub: 'person-1', client_id: 'client-1' } });
  ask = (path, init = {}) =>
    fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const opened = await ask('/mcp', post(initialize('2025-11-25')));
  session = opened.headers.get('mcp-session-id') ?? '';
});

afterAll(() => cleanUp.disposeAsync());

const post = (message: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(message),
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
});

const inSession = (message: unknown): RequestInit => post(message, { 'mcp-session-id': session });
const echo = { name: 'echo', arguments: { message: 'hello' } };
const modern = (method: string, params: object): RequestInit => {
  const message = statelessRequest(method, params);
  return post(message, headersOf(message));
};

const ANSWERS: readonly (readonly [what: string, status: number, give: () => Promise<Response>])[] = [
  ['a JSON answer of a session', 200, () => ask('/mcp', inSession(request(1, 'tools/call', echo)))],
  ['an accepted notification', 202, () => ask('/mcp', inSession({ jsonrpc: '2.0', method: 'notifications/initialized' }))],
  ['a new session', 200, () => ask('/mcp', post(initialize('2025-11-25')))],
  ['a stream of a session', 200, () => ask('/mcp', { headers: { accept: 'text/event-stream', 'mcp-session-id': session } })],
  ['a stream of HTTP+SSE', 200, () => ask('/sse', { headers: { accept: 'text/event-stream' } })],
  ['an unknown session', 404, () => ask('/mcp', post(request(1, 'ping'), { 'mcp-session-id': 'none' }))],
  ['a JSON answer without a session', 200, () => ask('/mcp', modern('tools/call', echo))],
  ['an unknown method without a session', 404, () => ask('/mcp', modern('nothing', {}))],
  ['a request without a token', 401, () => ask('/mcp', { ...post(request(1, 'ping')), headers: { authorization: '' } })],
  ['a body that is no JSON', 400, () => ask('/mcp', { ...inSession({}), body: '{' })],
  ['a body of another media type', 415, () => ask('/mcp', post({}, { 'content-type': 'text/plain' }))],
  ['a method that is not allowed', 405, () => ask('/mcp', { method: 'PUT' })],
  ['OPTIONS without CORS', 204, () => ask('/mcp', { method: 'OPTIONS' })],
]; // biome-ignore format: one row for each answer

describe('the headers of an answer of the lane', () => {
  it.each(ANSWERS)('%s has the security headers and a request id, each once', async (_, status, give) => {
    const answer = await give();
    await answer.body?.cancel();
    const { headers } = answer;
    expect(answer.status).toBe(status);
    expect(headers.get('x-request-id')).toMatch(UUID);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get('vary')).toBe('Origin');
    const isStream = headers.get('content-type') === 'text/event-stream';
    expect(headers.get('cache-control')).toBe(
      status >= 202 && status < 300 ? null : isStream ? 'no-cache, no-transform' : 'no-store',
    );
  });

  it('an answer to a page of an allowed origin names that origin, and the headers that the page may read', async () => {
    const answer = await ask('/mcp', {
      ...inSession(request(1, 'ping')),
      headers: { ...inSession({}).headers, origin: PAGE },
    });
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE);
    expect(answer.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
    expect(answer.headers.get('vary')).toBe('Origin');
  });
});
