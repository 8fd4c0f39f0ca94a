/**
 * Proves how client documents are fetched through a proxy (CWE-918): by public names only, whatever NO_PROXY says, and
 * never by HTTPS_PROXY; and that without a proxy every connection is checked as before.
 */
import { startProxy, type TestProxy } from '@mcp-oauth/shared/testing/proxy';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClientDocumentError } from '../../src/client-documents/document-error.ts';
import { createGet, type Network } from '../../src/client-documents/fetch/get.ts';
import { clientDocumentSettings } from '../../src/client-documents/settings.ts';
import { ClientHost, trustTestCertificate } from '../support/client-host.ts';

trustTestCertificate();
let host: ClientHost;
let proxy: TestProxy;
beforeAll(async () => {
  host = await ClientHost.start();
});
afterAll(() => host[Symbol.asyncDispose]());
beforeEach(async (context) => {
  // A public name leads to the test's host, as it would to a host on the internet.
  proxy = await startProxy({ ports: { 443: host.port } });
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
});

async function attempt(url: string, network: Network = {}, mayBePrivate = false) {
  const get = createGet({ timeout: 60_000, proxy: new URL(proxy.url), ...network });
  const answer = await get(new URL(url), { limit: 5_120, mayBePrivate }).catch((error: unknown) => error);
  if (answer instanceof ClientDocumentError) return { reason: answer.reason, message: answer.message };
  return { reason: 'answered', answer };
}

describe('CLIENT_METADATA_PROXY', () => {
  it('the proxy carries the request of a public name, whose certificate is checked', async () => {
    const { reason, message } = await attempt('https://app.client.com/client.json');
    expect([reason, message]).toEqual(['tls', expect.stringContaining('app.client.com')]);
    expect(proxy.asked).toEqual(['app.client.com:443']);
    expect(host.seen).toEqual([]);
  });

  it.each([
    'https://127.0.0.1/c',
    'https://1.1.1.1/c',
    'https://[::1]/c',
    'https://[2606:4700:4700::1111]/c',
    'https://redis/c',
    'https://localhost/c',
    'https://localhost./c',
    'https://app.localhost/c',
    'https://metadata.google.internal/c',
    'https://printer.local/c',
    'https://auth.corp/c',
    'https://router.lan/c',
    'https://x.home.arpa/c',
    'https://mcp-server.default.svc/c',
    'https://mcp-server.default.svc.cluster.local/c',
    'https://redis.service.consul/c',
    'https://host.docker.internal/c',
    'https://gateway.docker/c',
    'https://app.client.com./c',
    'https://app.client.com:8443/c',
  ])('the URL %s is refused before CONNECT', async (url) => {
    expect((await attempt(url)).reason).toBe('url');
    expect(proxy.connections).toBe(0);
  });

  it.each([403, 407, 502])('a proxy that answers %i is the reported reason, without its password', async (status) => {
    proxy.status = status;
    const secret = new URL(proxy.url.replace('//', '//user:hidden@'));
    const { reason, message } = await attempt('https://app.client.com/c', { proxy: secret });
    expect([reason, message]).toEqual(['proxy', expect.stringContaining(`answered ${status} to CONNECT`)]);
    expect(message).not.toContain('hidden');
  });

  it('a silent or unreachable proxy fails within the time limit', async () => {
    proxy.status = 0;
    expect((await attempt('https://app.client.com/c', { timeout: 200 })).reason).toBe('timeout');
    const gone = await startProxy();
    await gone[Symbol.asyncDispose]();
    expect((await attempt('https://app.client.com/c', { proxy: new URL(gone.url) })).reason).toBe('proxy');
  });

  it('a host listed as private bypasses the proxy', async () => {
    host.publish();
    expect((await attempt(host.url(), {}, true)).reason).toBe('answered');
    expect(proxy.connections).toBe(0);
  });

  it('CLIENT_METADATA_PROXY accepts only the URL of an HTTP proxy', () => {
    const { type } = clientDocumentSettings.clientMetadataProxy;
    expect(type.safeParse('proxy.corp:3128').data?.href).toBe('http://proxy.corp:3128/');
    expect(type.safeParse('socks5://proxy').success).toBe(false);
  });
});
