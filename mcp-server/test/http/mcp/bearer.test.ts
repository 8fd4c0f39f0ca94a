/**
 * Proves how a request may carry its token, and the challenge for a missing token or missing scopes (RFC 6750 §2, §3).
 */
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type Harness, PING, post, readChallenge, startHarness } from '../../support/http-harness.ts';

let server: Harness;
beforeAll(async () => {
  server = await startHarness();
});
beforeEach(() => {
  server.ran.length = 0;
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const metadata = (path: string): string => `${server.url}/.well-known/oauth-protected-resource${path}`;

/** fetch joins headers of the same name; a socket does not. */
const statusOf = (headers: string[]): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const { port, host } = new URL(server.url);
    const sent = request({ port, path: '/mcp', headers: ['Host', host, ...headers] }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });

describe('RFC 9728 §5.1 a request without a token is challenged', () => {
  it.each([
    ['POST', '/mcp', '/mcp'],
    ['GET', '/mcp', '/mcp'],
    ['DELETE', '/mcp', '/mcp'],
    ['POST', '/sse', '/sse'],
    ['GET', '/sse', '/sse'],
    ['DELETE', '/sse', '/sse'],
    ['POST', '/messages?sessionId=1', '/sse'],
  ])('a request %s %s without a token is challenged with the metadata URL of %s', async (method, path, resource) => {
    const response = await server.fetch(path, { method });
    expect(response.status).toBe(401);
    // RFC 6750 §3.1: no error code when there was no attempt to authenticate.
    expect(readChallenge(response)).toEqual({ resource_metadata: metadata(resource), scope: 'mcp:tools' });
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(server.ran).toEqual([]);
  });

  // Clients that see only the text of the answer look for the word: MCP Inspector 0.17 does, in its direct mode.
  it.each([{}, { authorization: 'Bearer expired' }])(
    'RFC 9110 §15.5.2 a 401 also says Unauthorized in its description: %j',
    async (headers) => {
      const response = await server.fetch('/mcp', { headers });
      expect(await response.json()).toMatchObject({ error_description: expect.stringContaining('Unauthorized') });
    },
  );

  it('RFC 6750 §3 another authentication scheme counts as no token', async () => {
    const response = await server.fetch('/mcp', { headers: { authorization: 'Basic dXNlcjpwYXNz' } });
    expect(response.status).toBe(401);
    expect(readChallenge(response)).not.toHaveProperty('error');
  });

  it('an unsupported method is refused with the list of allowed ones', async () => {
    const response = await server.fetch('/mcp', { method: 'PUT' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
    expect((await server.fetch('/messages')).headers.get('allow')).toBe('POST');
    expect((await server.fetch('/mcp', { method: 'HEAD' })).status).toBe(405);
  });
});

describe('RFC 6750 §2 the place of a token', () => {
  it('a token in the URL is refused, even beside a valid header, and never repeated or logged', async () => {
    const token = await server.token();
    const response = await server.fetch(`/mcp?access_token=${token}`, post(token, PING));
    expect(response.status).toBe(400);
    expect(readChallenge(response).error).toBe('invalid_request');
    expect(await response.text()).not.toContain(token);
    expect(server.log.join('')).not.toContain(token);
    expect(server.ran).toEqual([]);
  });

  it('several Authorization headers are refused', async () => {
    const token = await server.token();
    const twice = ['Authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`];
    expect(await statusOf(twice)).toBe(400);
    expect(server.ran).toEqual([]);
  });

  it.each(['Bearer', 'Bearer ', 'Bearer a,b', 'Bearer a b'])(
    'the Authorization header %j is refused',
    async (authorization) => {
      const response = await server.fetch('/mcp', { headers: { authorization } });
      expect(response.status).toBe(401);
      expect(readChallenge(response).error).toBe('invalid_token');
    },
  );

  it('RFC 9110 §11.1 the case of the authentication scheme does not matter', async () => {
    const response = await server.fetch('/mcp', { headers: { authorization: `bEARER ${await server.token()}` } });
    expect(response.status).toBe(200);
  });
});

describe('MCP scope challenge handling', () => {
  const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

  it('a challenge names every scope that the call needs, before anything runs', async () => {
    const response = await server.fetch('/mcp', post(await server.token(), call('status')));
    expect(response.status).toBe(403);
    expect(readChallenge(response)).toEqual({
      resource_metadata: metadata('/mcp'),
      scope: 'mcp:admin mcp:tools',
      error: 'insufficient_scope',
      error_description: 'The access token lacks a scope that this request needs.',
    });
    expect(server.ran).toEqual([]);
  });

  it('a call in a batch needs its scope', async () => {
    const response = await server.fetch('/mcp', post(await server.token(), [PING, call('echo'), call('status')]));
    expect(response.status).toBe(403);
    expect(server.ran).toEqual([]);
  });

  it('a call with its scopes is accepted', async () => {
    const token = await server.token({ scope: 'mcp:tools mcp:admin' });
    expect((await server.fetch('/mcp', post(token, call('status')))).status).toBe(200);
  });

  it('a challenge keeps the scopes that a client has, and never names OpenID scopes', async () => {
    const token = await server.token({ scope: 'openid offline_access foreign mcp:admin' });
    const response = await server.fetch('/mcp', { headers: bearer(token) });
    expect(response.status).toBe(403);
    expect(readChallenge(response).scope).toBe('mcp:admin mcp:tools');
  });
});

describe('routing of requests', () => {
  it.each([
    ['POST', '/mcp', {}, 'streamable'],
    ['GET', '/mcp', {}, 'streamable'],
    ['DELETE', '/mcp', {}, 'streamable'],
    ['POST', '/sse', {}, 'streamable'],
    ['GET', '/sse', {}, 'sseStream'],
    ['GET', '/sse', { 'mcp-session-id': 'x' }, 'streamable'],
    ['DELETE', '/sse', { 'mcp-session-id': 'x' }, 'streamable'],
    ['POST', '/messages?sessionId=x', {}, 'sseMessage'],
  ])('a request %s %s %j goes to %s', async (method, path, headers, endpoint) => {
    const token = await server.token();
    const body = method === 'POST' ? post(token, PING, headers) : { method, headers: { ...bearer(token), ...headers } };
    expect(await (await server.fetch(path, body)).json()).toEqual({ endpoint });
  });

  it('hole 1.3: an unknown path is 404 in JSON, never a page', async () => {
    for (const path of ['/nothing', '/.well-known/nothing', '/jwks', '/mcp/other', '/admin.php']) {
      const response = await server.fetch(path, { headers: { accept: 'text/html' } });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: 'not_found' });
    }
  });

  it('probes are answered under any host, and readiness ends while the server drains', async () => {
    server.ready = false;
    expect((await server.fetch('/livez')).status).toBe(200);
    expect((await server.fetch('/readyz')).status).toBe(503);
    server.ready = true;
    expect((await server.fetch('/readyz')).status).toBe(200);
  });

  it('each request is logged in one line, without its query', async () => {
    await server.fetch('/authorize?code_challenge=secret-challenge&state=secret-state');
    expect(server.log.join('')).toContain('"path":"/authorize"');
    expect(server.log.join('')).not.toContain('secret');
  });
});
