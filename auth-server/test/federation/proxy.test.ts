/** Proves that requests to the operator's upstreams go through the proxy (RFC 9110 §9.3.6), with TLS end to end. */
import { reasonOf } from '@mcp-oauth/shared/documents/remote-document';
import { createOutgoingFetch } from '@mcp-oauth/shared/network/outgoing-fetch';
import { proxySettings, withProxyVariables } from '@mcp-oauth/shared/network/settings';
import { loadConfig } from '@mcp-oauth/shared/settings/config';
import { startProxy, type TestProxy } from '@mcp-oauth/shared/testing/proxy';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createUpstreamFetch } from '../../src/federation/upstream/upstream-fetch.ts';
import { CERTIFICATES, ClientHost, trustTestCertificate } from '../support/client-host.ts';

trustTestCertificate();
let host: ClientHost;
let proxy: TestProxy;
beforeAll(async () => {
  host = await ClientHost.start();
  host.publish();
});
afterAll(() => host[Symbol.asyncDispose]());
beforeEach(async (context) => {
  proxy = await startProxy();
  context.onTestFinished(() => proxy[Symbol.asyncDispose]());
});

const settingsOf = (env: Readonly<Record<string, string>>) => loadConfig(proxySettings, withProxyVariables(env));
const fetchWith = (env: Readonly<Record<string, string>>) => createOutgoingFetch(settingsOf(env));
const nameOf = async (asked: Promise<Response>) =>
  ((await (await asked).json()) as { client_name: string }).client_name;
const failure = (asked: Promise<unknown>) =>
  asked.then(
    () => 'answered',
    (error: unknown) => reasonOf(error),
  );

describe('HTTPS_PROXY', () => {
  it.each(['HTTPS_PROXY', 'https_proxy'])(
    'the proxy of %s carries https, and sees only name and port',
    async (name) => {
      expect(await nameOf(fetchWith({ [name]: proxy.url })(host.url()))).toBe('Published app');
      expect(proxy.asked).toEqual([host.name]);
      expect(proxy.credentials).toEqual([undefined]);
    },
  );

  it('RFC 7617 the proxy gets the user and password of its URL', async () => {
    const url = proxy.url.replace('//', '//us%20er:p%40ss@');
    await fetchWith({ HTTPS_PROXY: url })(host.url());
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from('us er:p@ss').toString('base64')}`]);
  });

  it.each(['NO_PROXY', 'no_proxy'])('the proxy is bypassed for hosts in %s', async (name) => {
    const fetch = fetchWith({ HTTPS_PROXY: proxy.url, [name]: 'x.example,localhost' });
    expect(await nameOf(fetch(host.url()))).toBe('Published app');
    expect(proxy.connections).toBe(0);
  });

  it('RFC 9110 §4.3.4 the certificate must match the host, also through a proxy', async () => {
    await using other = await startProxy({ ports: { 443: host.port } });
    const failed = failure(fetchWith({ HTTPS_PROXY: other.url })('https://id.example.com/keys'));
    expect(await failed).toMatch(/^fetch failed: .*altnames/);
    expect(host.seen.some(({ path }) => path === '/keys')).toBe(false);
  });

  it.each([403, 407, 502])('a proxy that answers %i is named in the failure, without its password', async (status) => {
    proxy.status = status;
    const fetch = fetchWith({ HTTPS_PROXY: proxy.url.replace('//', '//user:hidden@') });
    const said = await failure(fetch(host.url()));
    expect(said).toBe(`fetch failed: the proxy ${new URL(proxy.url).host} answered ${status} to CONNECT ${host.name}`);
  });

  it('a silent proxy costs no more than the time limit of the request', async () => {
    proxy.status = 0;
    const aborting = new AbortController();
    const asked = failure(fetchWith({ HTTPS_PROXY: proxy.url })(host.url(), { signal: aborting.signal }));
    await expect.poll(() => proxy.asked).toHaveLength(1);
    aborting.abort(new Error('enough'));
    expect(await asked).toBe('enough');
  });

  it('a proxy may be reached by TLS, and its certificate is checked', async () => {
    await using other = await startProxy({ tls: CERTIFICATES });
    expect(await nameOf(fetchWith({ HTTPS_PROXY: other.url })(host.url()))).toBe('Published app');
    expect(other.asked).toEqual([host.name]);
    // Its certificate is for the proxy, not for the requested host.
    await failure(fetchWith({ HTTPS_PROXY: other.url })('https://id.example.com/keys'));
    expect(other.asked).toEqual([host.name, 'id.example.com:443']);
  });

  it('an unreachable proxy is named', async () => {
    const gone = await startProxy();
    await gone[Symbol.asyncDispose]();
    const ask = fetchWith({ HTTPS_PROXY: gone.url });
    expect(await failure(createUpstreamFetch(ask, 5)(host.url()))).toMatch(
      /client\.json could not be reached \(the proxy 127\.0\.0\.1:\d+ could not be reached: .*ECONNREFUSED/,
    );
    expect(await failure(ask(host.url()))).toMatch(
      /^fetch failed: the proxy 127\.0\.0\.1:\d+ could not be reached: .*ECONNREFUSED/,
    );
  });

  it.each(['ftp://proxy', 'http://', 'http://proxy/path', 'socks5://proxy:1080', 'http://%zz@proxy'])(
    'the invalid proxy URL %s is refused at start, and not repeated',
    (value) => {
      expect(() => settingsOf({ HTTPS_PROXY: value })).toThrow(/^HTTPS_PROXY: expected the URL of an HTTP proxy[^(]*$/);
    },
  );

  it('an unknown form of entry in NO_PROXY bypasses nothing', async () => {
    const odd = '<local>, 169.254/16, fe80::1%eth0, http://localhost, loc*host';
    expect(await nameOf(fetchWith({ HTTPS_PROXY: proxy.url, NO_PROXY: odd })(host.url()))).toBe('Published app');
    expect(proxy.asked).toEqual([host.name]);
  });

  it('the proxy URL may be written without http://, as for curl', () => {
    expect(settingsOf({ HTTPS_PROXY: 'proxy.corp:3128' }).httpsProxy?.href).toBe('http://proxy.corp:3128/');
  });
});
