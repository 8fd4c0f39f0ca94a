/** Owns the proof that the parts fit: the composed service, a real client of the SDK, and a token checked offline. */
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { compose } from '../src/compose.ts';
import { signingKey, signToken, startIssuer } from './authorization/issuer.ts';

async function start() {
  let handler: RequestListener = () => {};
  const server = await serve((request, response) => handler(request, response));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const env = { PUBLIC_URL: server.url, ISSUER: issuer.url, NODE_ENV: 'test' };
  const service = await compose(env, { clock, log: createLogger('test', 'silent') });
  handler = service.handler;
  const now = clock.now() / 1000;
  const claims = { iss: issuer.url, aud: `${server.url}/mcp`, sub: 'person-1', client_id: 'client-1' };
  const token = (scope: string) => signToken({ key, claims: { ...claims, scope, iat: now, exp: now + 600 } });
  const close = async () => {
    service.drain();
    await server.close();
    await service.close();
    await issuer.close();
  };
  return { url: server.url, issuer, service, token, [Symbol.asyncDispose]: close };
}

const withToken = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

describe('the composed service', () => {
  it.each(['/mcp', '/sse'])('serves both eras side by side at %s (MCP 2026-07-28 basic/versioning)', async (path) => {
    await using mcp = await start();
    const url = new URL(`${mcp.url}${path}`);
    const modes = [{ pin: '2026-07-28' }, 'auto', 'legacy'] as const;
    const agreed = modes.map(async (mode) => {
      const client = new ModernClient({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
      await client.connect(new ModernTransport(url, withToken(await mcp.token('mcp:tools'))));
      const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
      expect(result.structuredContent).toEqual({ echoed_message: 'hello' });
      const version = client.getNegotiatedProtocolVersion();
      await client.close();
      return version;
    });
    expect(await Promise.all(agreed)).toEqual(['2026-07-28', '2026-07-28', '2025-11-25']);
  });

  it.each([
    ['Streamable HTTP at /mcp', StreamableHTTPClientTransport, '/mcp'],
    ['Streamable HTTP at /sse', StreamableHTTPClientTransport, '/sse'],
    ['HTTP+SSE at /sse', SSEClientTransport, '/sse'],
  ])('serves tools over %s', async (_, Transport, path) => {
    await using server = await start();
    const client = new Client({ name: 'test', version: '1' });
    const transport = new Transport(new URL(`${server.url}${path}`), withToken(await server.token('mcp:tools')));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(JSON.stringify(result.content)).toContain('hello');
    await client.close();
  });

  it('asks for the scope of a tool before the tool runs', async () => {
    await using server = await start();
    const client = new Client({ name: 'test', version: '1' });
    const options = withToken(await server.token('mcp:tools'));
    const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), options);
    await client.connect(transport as Parameters<Client['connect']>[0]);
    await expect(client.callTool({ name: 'server_status', arguments: {} })).rejects.toThrow(/insufficient_scope/);
    await client.close();
  });

  it('is not ready while it drains', async () => {
    await using server = await start();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    server.service.drain();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  });
});
