/** Proves which hosts and origins are allowed (MCP transports, Security Warning), and what web pages may read. */
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createHostRule, createOriginRule } from '../../src/http/origin.ts';
import { type Harness, PING, post, startHarness } from '../support/http-harness.ts';

const rules = (publicUrl: string, more = {}) => ({
  publicUrl,
  allowedHosts: [],
  allowedOrigins: [],
  ...more,
});

describe('Host', () => {
  it.each([
    ['http://localhost:8080', 'localhost:8080', true],
    ['http://localhost:8080', 'LOCALHOST:8080', true],
    ['http://localhost:8080', '127.0.0.1:8080', true],
    ['http://localhost:8080', '[::1]:8080', true],
    ['http://localhost:8080', 'localhost:9999', true],
    ['http://localhost:8080', 'evil.example:8080', false],
    ['http://localhost:8080', 'localhost.evil.example:8080', false],
    ['http://localhost:8080', 'evil@localhost:8080', false],
    ['http://localhost:8080', 'localhost:8080/evil', false],
    ['http://localhost:8080', '', false],
    ['http://localhost', 'localhost', true],
    ['https://mcp.example.com', 'mcp.example.com', true],
    ['https://mcp.example.com', 'mcp.example.com:443', true],
    ['https://mcp.example.com', 'mcp.example.com:8443', false],
    ['https://mcp.example.com', 'localhost:8080', false],
    ['https://mcp.example.com', 'mcp.example.com.evil.example', false],
  ])('the server %s called with Host %j accepts it: %s', (publicUrl, host, allowed) => {
    expect(createHostRule(rules(publicUrl))(host)).toBe(allowed);
  });

  it('a host may be in ALLOWED_HOSTS, and has any port when listed without one', () => {
    const rule = createHostRule(rules('https://mcp.example.com', { allowedHosts: ['mcp-server', 'pod:8080'] }));
    expect(['mcp-server', 'mcp-server:1234', 'pod:8080', 'pod:1', 'other'].map(rule)).toEqual([
      true, true, true, false, false,
    ]); // biome-ignore format: one list
  });
});

describe('Origin', () => {
  it.each([
    ['http://localhost:8080', 'http://localhost:8080', true],
    ['http://localhost:8080', 'http://127.0.0.1:6274', true],
    ['http://localhost:8080', 'http://[::1]:6274', true],
    ['http://localhost:8080', 'null', false],
    ['http://localhost:8080', '', false],
    ['http://localhost:8080', 'http://localhost.evil.example', false],
    ['http://localhost:8080', 'https://evil.example', false],
    ['https://mcp.example.com', 'https://mcp.example.com', true],
    ['https://mcp.example.com', 'http://mcp.example.com', false],
    ['https://mcp.example.com', 'http://localhost:6274', false],
    ['https://mcp.example.com', 'https://app.example.com', true],
  ])('the server %s called with Origin %j accepts it: %s', (publicUrl, origin, allowed) => {
    const rule = createOriginRule(rules(publicUrl, { allowedOrigins: ['https://app.example.com'] }));
    expect(rule(origin)).toBe(allowed);
  });
});

const asHost = (server: Harness, host: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const sent = request({ port: new URL(server.url).port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', reject).end();
  });

describe('hole 1.6.12: DNS rebinding', () => {
  it('a foreign origin is 403 in JSON before the token is checked', async () => {
    await using server = await startHarness();
    for (const origin of ['https://evil.example', 'null']) {
      const response = await server.fetch('/mcp', post('garbage', PING, { origin }));
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toBeNull();
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
      expect(await response.json()).toMatchObject({ error: 'access_denied' });
    }
  });

  it('a foreign host is refused everywhere except at the probes', async () => {
    await using server = await startHarness();
    expect(await asHost(server, 'evil.example', '/mcp')).toBe(403);
    expect(await asHost(server, 'evil.example', '/')).toBe(403);
    expect(await asHost(server, '10.0.0.7:8080', '/readyz')).toBe(200);
  });
});

describe('CORS', () => {
  const preflight = (origin: string, method = 'POST'): RequestInit => ({
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
    },
  });

  it('a preflight of an allowed page needs no token, and allows what MCP needs', async () => {
    await using server = await startHarness();
    const response = await server.fetch('/mcp', preflight('http://localhost:6274', 'DELETE'));
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('http://localhost:6274');
    expect(response.headers.get('access-control-allow-methods')).toContain('DELETE');
    const headers = response.headers.get('access-control-allow-headers')?.toLowerCase();
    for (const name of ['authorization', 'content-type', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id'])
      expect(headers).toContain(name);
  });

  it('a preflight of a foreign page is refused', async () => {
    await using server = await startHarness();
    expect((await server.fetch('/mcp', preflight('https://evil.example'))).status).toBe(403);
  });

  it('an allowed page may read the challenge and the session id, also in errors and streams', async () => {
    await using server = await startHarness();
    const origin = 'http://localhost:6274';
    const refused = await server.fetch('/mcp', { headers: { origin } });
    const passed = await server.fetch('/mcp', post(await server.token(), PING, { origin }));
    expect([refused.status, passed.status]).toEqual([401, 200]);
    for (const response of [refused, passed]) {
      expect(response.headers.get('access-control-allow-origin')).toBe(origin);
      expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
      expect(response.headers.get('access-control-expose-headers')).toContain('Mcp-Session-Id');
      expect(response.headers.get('vary')).toContain('Origin');
    }
  });

  it('every page may read the public documents', async () => {
    await using server = await startHarness({ allowedOrigins: [] });
    for (const path of ['/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-authorization-server']) {
      const response = await server.fetch(path, { headers: { origin: 'https://anywhere.example' } });
      expect(response.status).toBe(200);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect((await server.fetch(path, preflight('https://anywhere.example', 'GET'))).status).toBe(204);
    }
  });

  it('an OPTIONS request that is no preflight is answered with the methods', async () => {
    await using server = await startHarness();
    const response = await server.fetch('/mcp', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toBe('GET, POST, DELETE');
  });
});
