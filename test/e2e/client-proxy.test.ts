/**
 * Proves which outgoing requests of auth-server use a proxy: those for URLs of the operator, and those for URLs of a
 * stranger (CWE-918).
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startProxy, type TestProxy } from '@mcp-oauth/shared/testing/proxy';
import { beforeEach, describe, expect, it } from 'vitest';
import { Run } from '../support/stack.ts';

let proxy: TestProxy;
beforeEach(async (context) => {
  proxy = await startProxy();
  // Requests that leave this machine stay without an answer.
  proxy.status = 403;
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
});

async function start(env: NodeJS.ProcessEnv) {
  const [port] = await freePorts(1);
  const issuer = `http://localhost:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'mcp-oauth-proxy-'));
  const run = new Run({ ISSUER: issuer, DATA_DIR: folder, ...env }, 'auth-server/src/main.ts');
  await run.says('"ready"');
  const authorize = async (clientId: string) => {
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: 'https://a.example',
    });
    const response = await fetch(`${issuer}/authorize?${query}`, { headers: { accept: 'text/html' } });
    return response.text();
  };
  return { run, authorize, [Symbol.asyncDispose]: async () => void (await run.stop()) };
}

describe('a client document at an unknown host', () => {
  it('a client document is fetched through CLIENT_METADATA_PROXY, whatever NO_PROXY says', async () => {
    const env = { CLIENT_METADATA_PROXY: proxy.url, NO_PROXY: '*', no_proxy: 'app.client.com' };
    await using server = await start(env);
    expect(await server.authorize('https://app.client.com/client.json')).toContain('tell the operator of this server');
    expect(proxy.asked).toEqual(['app.client.com:443']);
    await server.run.says('"reason":"proxy"');
  });

  it.each([
    'https://127.0.0.1/c',
    'https://redis/c',
    'https://mcp-server.default.svc/c',
    'https://metadata.google.internal/c',
  ])('the client id %s reaches no proxy', async (id) => {
    await using server = await start({ CLIENT_METADATA_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
    expect(await server.authorize(id)).toContain('not accepted here');
    expect(proxy.connections).toBe(0);
  });
});
