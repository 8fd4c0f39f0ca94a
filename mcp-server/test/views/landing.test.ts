/** Proves that the landing page shows what a person needs to connect, and contains nothing executable. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { guides } from '../../src/views/clients.ts';
import { landingPage } from '../../src/views/landing.ts';
import { type Harness, startHarness } from '../support/http-harness.ts';

let server: Harness;
beforeAll(async () => {
  server = await startHarness();
});
afterAll(() => server[Symbol.asyncDispose]());

const get = async (): Promise<string> => (await server.fetch('/', { headers: { accept: 'text/html' } })).text();

describe('GET /', () => {
  it('the landing page names the address, every endpoint, every tool and its scope', async () => {
    const page = await get();
    const { url, issuer } = server;
    const endpoints = [
      '/mcp',
      '/sse',
      '/.well-known/oauth-protected-resource/mcp',
      '/.well-known/oauth-authorization-server',
    ];
    for (const text of [...endpoints.map((path) => url + path), issuer.url, 'echo', 'status', 'mcp:tools', 'mcp:admin'])
      expect(page).toContain(text);
  });

  it('the landing page explains how to connect each of the usual clients, with the address of this server', async () => {
    const page = await get();
    for (const client of ['Cursor', 'VS Code', 'Claude Code', 'Claude Desktop', 'Codex', 'MCP Inspector'])
      expect(page).toContain(client);
    for (const { snippet } of guides('Test server', `${server.url}/mcp`))
      expect(snippet).toContain(`${server.url}/mcp`);
  });

  it('the landing page runs no script, cannot be framed and loads nothing', async () => {
    const response = await server.fetch('/', { headers: { accept: 'text/html' } });
    const policy = response.headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(await response.text()).not.toMatch(/<script|\son\w+=|src=/);
  });

  it('GET / sends a program that accepts no page to the endpoint', async () => {
    const response = await server.fetch('/', { headers: { accept: 'text/event-stream' } });
    expect(response.status).toBe(406);
    expect(JSON.stringify(await response.json())).toContain(`${server.url}/mcp`);
  });
});

describe('texts of tool authors and operators', () => {
  it('texts of tool authors and operators are shown as text, never as markup', () => {
    const evil = '<img src=x onerror=alert(1)>"\'';
    const tool = { name: 'x', title: evil, description: evil, scopes: [evil], readOnly: true };
    const page = landingPage({
      publicUrl: 'https://a.example',
      serverName: evil,
      issuers: ['https://b.example'],
      tools: () => [tool],
      baseScopes: [],
    });
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
  });

  it("each client's guide uses a server name that the client accepts", () => {
    expect(guides('Büro & Co: "MCP"', 'https://a.example/mcp')[2]?.snippet).toBe(
      'claude mcp add --transport http b-ro-co-mcp https://a.example/mcp',
    );
  });
});
