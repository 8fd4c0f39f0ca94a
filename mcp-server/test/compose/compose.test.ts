/** Proves that the composed service works: a real client of the SDK, and a token that is verified offline. */
import type { RequestListener } from 'node:http';
import { createLogger } from '@mcp-oauth/shared/logger';
import type { Environment } from '@mcp-oauth/shared/settings/config';
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { serve } from '@mcp-oauth/shared/testing/listen';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compose, type Overrides } from '../../src/compose/compose.ts';
import { createCatalog } from '../../src/protocol/catalog/catalog.ts';
import { definePrompt, defineResource, defineTool } from '../../src/protocol/define.ts';
import { signingKey, signToken, startIssuer } from '../support/issuer.ts';
import { initialize, request } from '../support/protocol-harness.ts';
import { headersOf, request as modernRequest } from '../support/stateless-harness.ts';

const log = createLogger('test', 'silent');

async function start(settings: Environment = {}, overrides: Overrides = {}) {
  let handler: RequestListener = () => {};
  const server = await serve((request, response) => handler(request, response));
  const [issuer, key, clock] = [await startIssuer(), await signingKey('key-1'), new FakeClock()];
  issuer.keys.push(key.publicJwk);
  const env = { PUBLIC_URL: server.url, ISSUER: issuer.url, NODE_ENV: 'test', ...settings };
  const service = await compose(env, { clock, log, ...overrides });
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
  it.each(['/mcp', '/sse'])(
    'the service serves both protocol eras side by side at %s (MCP 2026-07-28 basic/versioning)',
    async (path) => {
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
    },
  );

  it.each([
    ['Streamable HTTP at /mcp', StreamableHTTPClientTransport, '/mcp'],
    ['Streamable HTTP at /sse', StreamableHTTPClientTransport, '/sse'],
    ['HTTP+SSE at /sse', SSEClientTransport, '/sse'],
  ])('the service serves tools over %s', async (_, Transport, path) => {
    await using server = await start();
    const client = new Client({ name: 'test', version: '1' });
    const transport = new Transport(new URL(`${server.url}${path}`), withToken(await server.token('mcp:tools')));
    await client.connect(transport as Parameters<Client['connect']>[0]);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(JSON.stringify(result.content)).toContain('hello');
    await client.close();
  });

  it.each([
    ['MCP 2025-11-25', 'legacy'],
    ['MCP 2026-07-28', { pin: '2026-07-28' }],
  ] as const)('SERVER_INSTRUCTIONS reach a client of %s when it connects', async (_, mode) => {
    const instructionsOf = async (settings: Environment) => {
      await using mcp = await start(settings);
      const client = new ModernClient({ name: 'test', version: '0' }, { versionNegotiation: { mode } });
      const url = new URL(`${mcp.url}/mcp`);
      await client.connect(new ModernTransport(url, withToken(await mcp.token('mcp:tools'))));
      const instructions = client.getInstructions();
      await client.close();
      return instructions;
    };
    const text = 'Look up the customer first.\nThen open a ticket “at once”.';
    expect(await instructionsOf({ SERVER_INSTRUCTIONS: text })).toBe(text);
    expect(await instructionsOf({})).toBeUndefined();
  });

  it('the service asks for the scope of a tool before the tool runs', async () => {
    await using server = await start();
    const client = new Client({ name: 'test', version: '1' });
    const options = withToken(await server.token('mcp:tools'));
    const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), options);
    await client.connect(transport as Parameters<Client['connect']>[0]);
    await expect(client.callTool({ name: 'server_status', arguments: {} })).rejects.toThrow(/insufficient_scope/);
    await client.close();
  });

  it('the service is not ready while it drains', async () => {
    await using server = await start();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    server.service.drain();
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  });
});

describe('a caller without a required scope', () => {
  const about = { title: 't', description: 'd', scope: ['a', 'b'] };
  const arguments_ = z.object({ x: z.string() });
  const catalog = createCatalog([
    defineTool({ ...about, name: 'guarded', input: z.object({}), run: () => ({ text: 'ran' }) }),
    defineTool({ ...about, scope: [], name: 'open', input: z.object({}), run: () => ({ text: 'ran' }) }),
    defineResource({ ...about, name: 'one', uri: 'a:one', read: () => ({ text: 'ran' }) }),
    defineResource({ ...about, name: 'any', uriTemplate: 'b:{x}', read: () => ({ text: 'ran' }) }),
    definePrompt({
      ...about,
      name: 'guarded',
      arguments: arguments_,
      render: () => [{ role: 'user', content: { type: 'text', text: 'ran' } }],
    }),
  ]);
  const ref = { type: 'ref/prompt', name: 'guarded' };
  const guarded = [
    ['tools/call', { name: 'guarded' }],
    ['prompts/get', { name: 'guarded', arguments: { x: 'y' } }],
    ['resources/read', { uri: 'a:one' }],
    ['resources/read', { uri: 'b:x' }],
    ['completion/complete', { ref, argument: { name: 'x', value: '' } }],
  ] as const;
  const lists = ['tools/list', 'prompts/list', 'resources/list', 'resources/templates/list'];

  type Server = Awaited<ReturnType<typeof start>>;
  const eras: Readonly<Record<string, (server: Server, token: string) => Promise<Ask>>> = {
    'MCP 2025-11-25': async ({ url }, token) => {
      const headers = { authorization: `Bearer ${token}`, ...JSON_OR_STREAM };
      const opened = await fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(initialize()) });
      await opened.text();
      const session = { ...headers, 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
      return (method, params) =>
        fetch(`${url}/mcp`, { method: 'POST', headers: session, body: JSON.stringify(request(1, method, params)) });
    },
    'MCP 2026-07-28':
      async ({ url }, token) =>
      (method, params) => {
        const message = modernRequest(method, params);
        const headers = { ...headersOf(message), authorization: `Bearer ${token}` };
        return fetch(`${url}/mcp`, { method: 'POST', headers, body: JSON.stringify(message) });
      },
  };

  describe.each(Object.entries(eras))('%s', (_, era) => {
    it.each(guarded)(
      'RFC 6750 §3.1 a request %s %j without its scope is refused: 403 with all scopes that are needed',
      async (method, params) => {
        await using server = await start({}, { catalog });
        const refused = await (await era(server, await server.token('mcp:tools a other')))(method, params);
        expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
          403,
          expect.stringMatching(
            /error="insufficient_scope".*scope="a b mcp:tools"|scope="a b mcp:tools".*insufficient_scope/,
          ),
        ]);
        const ran = await (await era(server, await server.token('mcp:tools a b')))(method, params);
        expect([ran.status, await ran.text()]).toEqual([200, expect.stringContaining('"result"')]);
      },
    );

    it('SCOPE_HIERARCHY: a higher scope that is held permits the request', async () => {
      await using server = await start({ SCOPE_HIERARCHY: 'top>a>mcp:tools, top>b' }, { catalog });
      const ask = await era(server, await server.token('top'));
      for (const [method, params] of guarded) expect((await ask(method, params)).status).toBe(200);
    });

    it.each(['list', 'hide'])(
      'UNPERMITTED_TOOLS=%s decides whether lists show it; using it is refused alike',
      async (choice) => {
        await using server = await start({ UNPERMITTED_TOOLS: choice }, { catalog });
        const [ask, all] = [
          await era(server, await server.token('mcp:tools a')),
          await era(server, await server.token('mcp:tools a b')),
        ];
        for (const method of lists) {
          const [seen, whole] = await Promise.all(
            [ask(method, {}), all(method, {})].map(async (answer) => (await answer).text()),
          );
          expect(/guarded|a:one|b:\{x\}/.test(seen ?? '')).toBe(choice === 'list');
          expect(whole).toMatch(/guarded|a:one|b:\{x\}/);
          if (/cacheScope/.test(seen ?? '')) expect(seen).toContain(choice === 'hide' ? '"private"' : '"public"');
        }
        const page = await (await fetch(server.url, { headers: { accept: 'text/html' } })).text();
        expect(page.includes('<code>guarded</code>')).toBe(choice === 'list');
        expect((await ask('tools/call', { name: 'guarded' })).status).toBe(403);
      },
    );
  });

  it('BUILT_IN_TOOLS=false offers none of the built-in tools and prompts', async () => {
    await using server = await start({ BUILT_IN_TOOLS: 'false' });
    const ask = await eras['MCP 2026-07-28']?.(server, await server.token('mcp:tools'));
    const [tools, prompts] = await Promise.all(
      ['tools/list', 'prompts/list'].map(async (method) => (await ask?.(method, {}))?.json()),
    );
    expect([tools, prompts]).toMatchObject([{ result: { tools: [] } }, { result: { prompts: [] } }]);
  });
});

type Ask = (method: string, params: object) => Promise<Response>;

const JSON_OR_STREAM = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };
