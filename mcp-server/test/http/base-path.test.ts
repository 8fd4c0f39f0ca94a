/** Proves how a server below a path is reached (RFC 9728 §3.1): with its path, and without it behind a proxy that removes it. */
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { withoutBasePath } from '../../src/http/base-path.ts';
import { bearer, PING, post, startHarness } from '../support/http-harness.ts';

const PUBLIC_URL = 'https://example.com/tools';
const start = () => startHarness({ publicUrl: PUBLIC_URL, allowedHosts: ['127.0.0.1', 'localhost'] });

describe('a server below a path', () => {
  it.each([
    ['/tools/mcp', '/mcp'],
    ['/tools/mcp?a=/tools/mcp', '/mcp?a=/tools/mcp'],
    ['/tools', '/'],
    ['/tools/', '/'],
    ['/tools?a=b', '/?a=b'],
    ['/mcp', '/mcp'],
    ['/toolshed/mcp', '/toolshed/mcp'],
    ['/tools/tools/mcp', '/tools/mcp'],
    ['/.well-known/oauth-protected-resource/tools/mcp', '/.well-known/oauth-protected-resource/mcp'],
    ['/.well-known/oauth-protected-resource/tools', '/.well-known/oauth-protected-resource'],
    ['/tools/.well-known/oauth-protected-resource/mcp', '/.well-known/oauth-protected-resource/mcp'],
    ['/.well-known/oauth-authorization-server/tools/mcp', '/.well-known/oauth-authorization-server/mcp'],
    ['/tools/mcp/.well-known/openid-configuration', '/mcp/.well-known/openid-configuration'],
    ['/livez', '/livez'],
    ['', ''],
  ])('RFC 9728 §3.1 the target %s is read as %s', (target, inner) => {
    expect(withoutBasePath(target, '/tools')).toBe(inner);
  });

  it.each(['/tools/mcp', '/Mcp/', '/mcp'])('RFC 6750 §2.1 a request at %s reaches the endpoint', async (path) => {
    await using server = await start();
    const token = await server.token({ aud: `${PUBLIC_URL}/mcp` });
    expect((await server.fetch(path, post(token, PING))).status).toBe(200);
    expect(server.ran).toEqual([expect.objectContaining({ endpoint: 'streamable', message: PING })]);
  });

  it('RFC 9112 §3.2.2 a request with an absolute target reaches the endpoint', async () => {
    await using server = await start();
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const { authorization } = bearer(await server.token({ aud: `${PUBLIC_URL}/mcp` }));
    const lines = ['GET http://example.com/tools/mcp HTTP/1.1', 'Host: example.com', `Authorization: ${authorization}`];
    socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`);
    const answer = (await socket.toArray()).join('');
    expect(answer).toMatch(/^HTTP\/1\.1 200/);
  });

  it('RFC 8707 §2 a token for the host without the path is refused', async () => {
    await using server = await start();
    for (const aud of ['https://example.com/mcp', 'https://example.com', 'https://example.com/tools/other']) {
      expect((await server.fetch('/tools/mcp', post(await server.token({ aud }), PING))).status).toBe(401);
    }
  });

  it('RFC 6454 §7 a page of the same origin may call, whatever the path', async () => {
    await using server = await start();
    const token = await server.token({ aud: `${PUBLIC_URL}/mcp` });
    for (const [origin, status] of [
      ['https://example.com', 200],
      ['https://other.example', 403],
    ] as const) {
      expect((await server.fetch('/tools/mcp', post(token, PING, { origin }))).status).toBe(status);
    }
  });

  it('both probes answer without the path', async () => {
    await using server = await start();
    expect((await server.fetch('/livez')).status).toBe(200);
    expect((await server.fetch('/readyz')).status).toBe(200);
  });
});
