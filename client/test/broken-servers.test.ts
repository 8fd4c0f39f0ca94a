/**
 * Proves that the doctor names the fault of a server that is broken in one thing, and nothing else; and that it finds nothing at a
 * healthy one.
 */
import { startProxy } from '@mcp-oauth/shared/testing/proxy';
import { describe, expect, it } from 'vitest';
import { doctor, examine, stepsWith } from './support/examine.ts';
import { BROKEN } from './support/faults.ts';
import { type Answer, type Fault, type Site, startSite } from './support/site.ts';

describe('the doctor at a broken server', () => {
  it.each(BROKEN)(
    'the fault of a server $is is named, and nothing else',
    async ({ fault, step, responsible, says, secure, hangs, untried = [] }) => {
      await using site = await startSite(fault, secure);
      const report = await examine(`${site.url} --timeout ${hangs ? 2 : 60} --token ${await site.token()}`);
      expect(stepsWith(report, 'fault'), report.stdout).toEqual([step]);
      expect(stepsWith(report, 'note')).toEqual([]);
      const found = report.steps.find((one) => one.step === step);
      expect(found?.says).toMatch(says);
      expect(found?.fix).toMatch(/\.$/);
      expect([report.status, report.healthy, report.responsible]).toEqual([1, false, responsible]);
      expect(report.sentence).toMatch(new RegExp(`^(The operator|You) .*: ${step}\\.$`));
      expect([...stepsWith(report, 'not-tried')].sort()).toEqual(['sign-in', ...untried].sort());
    },
  );

  it.each([
    ['redirects to a login', { status: 302, headers: { location: 'https://login.example/?next=mcp' } }, 'network'],
    ['redirects to the same path with a slash', { status: 307, headers: { location: '/mcp/' } }, 'user'],
    [
      'answers with a web page',
      { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
      'mcp-server',
    ],
    ['is not there (404)', { status: 404, headers: {}, body: 'none' }, 'user'],
    ['limits requests (429)', { status: 429, headers: {}, body: 'slow down' }, 'user'],
    ['is forbidden before any token (403)', { status: 403, headers: {}, body: 'no' }, 'network'],
    ['has no upstream (502)', { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>' }, 'network'],
    [
      'shows the page of a firewall (403)',
      { status: 403, headers: { 'content-type': 'text/html' }, body: '' },
      'network',
    ],
    ['answers 200 with something else', { status: 200, headers: {}, body: { hello: 'world' } }, 'mcp-server'],
  ] as const)(
    'a URL that %s is a fault at the first answer, and nothing after it is tried',
    async (_, broken, responsible) => {
      await using site = await startSite(() => broken);
      const report = await examine(site.url);
      expect(stepsWith(report, 'fault')).toEqual(['answer']);
      expect(stepsWith(report, 'passed')).toEqual(['name', 'tls']);
      expect([report.status, report.responsible]).toEqual([1, responsible]);
    },
  );

  it('a certificate that is not trusted is a fault of its own', async () => {
    await using site = await startSite(undefined, true);
    const report = await examine(site.url, { trusted: false });
    expect(stepsWith(report, 'fault')).toEqual(['tls']);
    expect(report.steps.find(({ step }) => step === 'tls')?.says).toMatch(
      /is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT/,
    );
    expect(site.asked).toEqual([]);
  });

  it('a closed port is a fault at the first answer', async () => {
    const site = await startSite();
    await site[Symbol.asyncDispose]();
    const report = await examine(site.url);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['answer'], 'mcp-server']);
    expect(report.steps.find(({ step }) => step === 'answer')?.says).toContain('ECONNREFUSED');
  });

  it('a name without an address is a fault, and a token is explained all the same', async () => {
    await using site = await startSite();
    const report = await examine(`https://nothing.invalid/mcp --token ${await site.token()}`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['name'], 'network']);
    expect(report.steps.find(({ step }) => step === 'token')?.says).toMatch(/subject alice, client c, by http/);
  });
});

describe('the doctor at a healthy server', () => {
  it.each([
    ['http on this machine', false],
    ['https', true],
  ])('every step of a healthy server over %s passes', async (_, secure) => {
    await using site = await startSite(undefined, secure);
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect(stepsWith(report, 'fault')).toEqual([]);
    expect(stepsWith(report, 'note')).toEqual([]);
    expect(stepsWith(report, 'not-tried')).toEqual(['sign-in']);
    expect([report.status, report.sentence]).toEqual([0, 'No fault: clients can connect.']);
  });

  it('without a token the steps that need one are not tried, and the exit status is 0', async () => {
    await using site = await startSite();
    const report = await examine(site.url);
    expect(stepsWith(report, 'not-tried')).toEqual(['sign-in', 'token', 'initialize', 'sessions', 'tools', 'stream']);
    expect([report.status, report.healthy]).toEqual([0, true]);
    expect(report.sentence).toContain('--login');
  });

  it('RFC 9449 §7.1 a server that takes only DPoP is noted, and its metadata is examined', async () => {
    await using site = await startSite(({ headers, ...answer }) => {
      const challenge = headers['www-authenticate']?.replace('Bearer', 'DPoP algs="ES256",');
      return { ...answer, headers: { ...headers, ...(challenge && { 'www-authenticate': challenge }) } };
    });
    const report = await examine(site.url);
    expect(stepsWith(report, 'note')).toEqual(['challenge']);
    expect(stepsWith(report, 'fault')).toEqual([]);
  });

  it('a limit of requests that the session meets (429) is noted', async () => {
    await using site = await startSite((answer, { rpc, headers }) =>
      headers.authorization && (rpc === 'ping' || rpc === 'tools/list')
        ? { status: 429, headers: {}, body: 'slow down' }
        : answer,
    );
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect([stepsWith(report, 'note'), stepsWith(report, 'fault')]).toEqual([['sessions', 'tools'], []]);
  });

  it('a server that needs a token only after initialize is noted', async () => {
    await using site = await startSite((answer, { rpc }) => {
      if (rpc !== 'initialize') return answer;
      const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'Mixed' } };
      return { ...answer, status: 200, body: { jsonrpc: '2.0', id: 1, result } };
    });
    const report = await examine(site.url);
    expect([stepsWith(report, 'note'), stepsWith(report, 'fault'), report.status]).toEqual([['sessions'], [], 0]);
    expect(report.steps.find(({ step }) => step === 'sessions')?.says).toContain(
      'needs no token, but other requests do',
    );
  });

  it('a limit of requests that the comparison of user agents meets (429) is noted', async () => {
    await using site = await startSite((answer, { headers }) =>
      headers['user-agent'] === 'mcp-oauth-doctor' ? answer : { status: 429, headers: {}, body: 'slow down' },
    );
    const report = await examine(site.url);
    expect([stepsWith(report, 'note'), stepsWith(report, 'fault'), report.status]).toEqual([['user agents'], [], 0]);
  });

  it.each([
    ['protected-resource', 'resource'],
    ['authorization-server', 'server'],
  ])('a redirect of the metadata of the %s is noted, and followed', async (which, step) => {
    const place = `/.well-known/oauth-${which}`;
    await using site = await startSite((answer, { path, method }, { origin, url }) => {
      if (path.startsWith(place) && method === 'GET')
        return { status: 302, headers: { ...answer.headers, location: '/moved' } };
      if (path !== '/moved') return answer;
      const body =
        step === 'resource'
          ? { resource: url, authorization_servers: [origin] }
          : {
              issuer: origin,
              authorization_endpoint: `${origin}/authorize`,
              token_endpoint: `${origin}/token`,
              registration_endpoint: `${origin}/register`,
              code_challenge_methods_supported: ['S256'],
            };
      return { ...answer, status: 200, body };
    });
    const report = await examine(site.url);
    expect([stepsWith(report, 'note'), stepsWith(report, 'fault'), report.status]).toEqual([[step], [], 0]);
    expect(report.steps.find((one) => one.step === step)?.says).toContain('Found after a redirect to http');
  });

  it('web pages that a server refuses on purpose (403) are noted', async () => {
    await using site = await startSite((answer, { headers, path }) =>
      headers.origin && path === '/mcp' ? { status: 403, headers: {}, body: 'no' } : answer,
    );
    const report = await examine(site.url);
    expect([stepsWith(report, 'note'), stepsWith(report, 'fault'), report.status]).toEqual([['page'], [], 0]);
    expect((await examine(`${site.url} --origin none`)).steps.find(({ step }) => step === 'page')?.outcome).toBe(
      'not-tried',
    );
  });

  it('a server that needs no sign-in is examined without one', async () => {
    const open: Fault = (answer, { headers, method }, site) =>
      answer.status === 401 || headers.authorization ? openAnswer(site, headers, method) : answer;
    const openAnswer = (_: Site, __: unknown, ___: unknown): Answer => ({
      status: 200,
      headers: { 'access-control-allow-origin': '*' },
      body: {
        jsonrpc: '2.0',
        id: 1,
        result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'open' }, tools: [] },
      },
    });
    await using site = await startSite(open);
    const report = await examine(site.url);
    expect(stepsWith(report, 'fault')).toEqual([]);
    expect(report.steps.find(({ step }) => step === 'answer')?.says).toContain('needs no sign-in');
    expect(report.steps.find(({ step }) => step === 'tools')?.outcome).toBe('passed');
  });
});

describe('RFC 9110 §9.3.6 the doctor behind an HTTP proxy', () => {
  it('all requests to an https server go through HTTPS_PROXY, and a healthy server passes', async () => {
    await using site = await startSite(undefined, true);
    await using proxy = await startProxy();
    const report = await examine(`${site.url} --token ${await site.token()}`, { env: { HTTPS_PROXY: proxy.url } });
    expect([...stepsWith(report, 'fault'), ...stepsWith(report, 'note')]).toEqual([]);
    expect(report.steps[0]?.says).toBe(`the proxy ${new URL(proxy.url).host} looks it up`);
    // The first connection is that of the step tls, which sends no request.
    expect(proxy.asked).toHaveLength(site.asked.length + 1);
  });

  it('a proxy that refuses is a fault of the network', async () => {
    await using site = await startSite(undefined, true);
    await using proxy = await startProxy();
    proxy.status = 403;
    const report = await examine(site.url, { env: { https_proxy: proxy.url } });
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['tls'], 'network']);
    expect(report.steps.find(({ step }) => step === 'tls')?.says).toContain('answered 403 to CONNECT localhost:');
  });

  it('a HTTPS_PROXY that is no proxy ends the command before anything is sent', async () => {
    const { status, stderr } = await doctor('https://localhost/mcp', { env: { HTTPS_PROXY: 'proxy.example/path' } });
    expect(status).toBe(1);
    expect(stderr).toContain('HTTPS_PROXY: expected the URL of an HTTP proxy');
  });
});
