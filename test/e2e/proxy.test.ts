/** Proves that both services reach the internet through a proxy where there is no other way (RFC 9110 §9.3.6). */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@mcp-oauth/shared/testing/ports';
import { startProxy, type TestProxy } from '@mcp-oauth/shared/testing/proxy';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CERTIFICATE, ClientHost } from '../../auth-server/test/support/client-host.ts';
import { Run } from '../support/stack.ts';

let issuer: ClientHost;
let proxy: TestProxy;
beforeAll(async () => {
  issuer = await ClientHost.start();
  const origin = `https://${issuer.name}`;
  const metadata = { issuer: origin, jwks_uri: `${origin}/jwks`, authorization_endpoint: `${origin}/authorize` };
  issuer.answers.set('/.well-known/oauth-authorization-server', { body: metadata });
  issuer.answers.set('/jwks', { body: { keys: [] } });
});
afterAll(() => issuer[Symbol.asyncDispose]());
beforeEach(async (context) => {
  proxy = await startProxy();
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
});

async function startMcpServer(env: NodeJS.ProcessEnv) {
  const [port] = await freePorts(1);
  const url = `http://localhost:${port}`;
  const own = { PUBLIC_URL: url, ISSUER: `https://${issuer.name}`, NODE_EXTRA_CA_CERTS: CERTIFICATE };
  const run = new Run({ ...own, ...env }, 'mcp-server/src/main.ts');
  await run.says('"ready"');
  const metadata = async () => (await fetch(`${url}/.well-known/oauth-authorization-server`)).status;
  const ask = async () => (await fetch(`${url}/accepting`)).status;
  return { run, metadata, ask, [Symbol.asyncDispose]: async () => void (await run.stop()) };
}

it('auth-server reads the scopes of a resource through HTTPS_PROXY', async () => {
  const [port] = await freePorts(1);
  const resource = 'https://mcp.example.com';
  const metadataUrl = `https://${issuer.name}/.well-known/oauth-protected-resource/mcp`;
  const body = { resource: `${resource}/mcp`, scopes_supported: ['mcp:tools', 'notes:read'] };
  issuer.answers.set('/.well-known/oauth-protected-resource/mcp', { body });
  const env = {
    ISSUER: `http://localhost:${port}`,
    DATA_DIR: mkdtempSync(join(tmpdir(), 'mcp-oauth-proxy-')),
    RESOURCES: JSON.stringify([{ url: resource, metadataUrl }]),
    NODE_EXTRA_CA_CERTS: CERTIFICATE,
    HTTPS_PROXY: proxy.url,
  };
  const run = new Run(env, 'auth-server/src/main.ts');
  try {
    await run.says('"ready"');
    const response = await fetch(`${env.ISSUER}/.well-known/oauth-authorization-server`);
    expect(await response.json()).toMatchObject({ scopes_supported: expect.arrayContaining(['notes:read']) });
    expect(proxy.asked).toContain(issuer.name);
  } finally {
    await run.stop();
  }
});

describe('mcp-server behind a proxy', () => {
  it.each([{ NODE_USE_ENV_PROXY: '1' }, {}])(
    'mcp-server reads metadata and keys of its issuer through HTTPS_PROXY (%j)',
    async (more) => {
      await using server = await startMcpServer({ HTTPS_PROXY: proxy.url, ...more });
      expect(await server.metadata()).toBe(200);
      expect(await server.ask()).toBe(204);
      expect(new Set(proxy.asked)).toEqual(new Set([issuer.name]));
      expect(issuer.seen.map(({ path }) => path)).toContain('/jwks');
    },
  );

  it('mcp-server bypasses the proxy for hosts in NO_PROXY', async () => {
    await using server = await startMcpServer({ HTTPS_PROXY: proxy.url, NO_PROXY: 'localhost' });
    expect(await server.metadata()).toBe(200);
    expect(proxy.connections).toBe(0);
  });

  it('the log of mcp-server has the answer of the proxy', async () => {
    proxy.status = 403;
    await using server = await startMcpServer({ HTTPS_PROXY: proxy.url });
    await server.metadata();
    await server.run.says(`the proxy ${new URL(proxy.url).host} answered 403 to CONNECT ${issuer.name}`);
  });
});
