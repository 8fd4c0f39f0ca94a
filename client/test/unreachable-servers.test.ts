/**
 * Proves that the doctor ends with one sentence at servers whose network is broken: they hang, never end, speak another protocol, or
 * have a certificate that is not valid.
 */
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CERTIFICATES } from '../../auth-server/test/support/client-host.ts';
import type { Known } from '../src/doctor/step.ts';
import { walk } from '../src/doctor/walk.ts';
import { doctor, EXPIRED, examine, type Report, stepsWith } from './support/examine.ts';
import { type Answer, type Fault, startSite } from './support/site.ts';

const found = ({ steps }: Report, name: string) => steps.find(({ step }) => step === name);

/** A TCP server, whatever it speaks. */
async function startRaw(talk: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    host: `127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

describe('a server whose network is broken', () => {
  it.each<[string, string, (socket: Socket) => void, string, string, RegExp]>([
    ['accepts and never answers', 'http', () => {}, 'answer', 'network', /does not answer \(TIMEOUT\)/],
    ['cuts each connection', 'http', (socket) => socket.destroy(), 'answer', 'network', /\(ECONNRESET\)/],
    ['speaks no HTTP', 'http', (socket) => socket.end('220 mail.example ESMTP\r\n'), 'answer', 'network', /HPE_/],
    [
      'sends half a head and stops',
      'http',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nX-A: '),
      'answer',
      'network',
      /\(TIMEOUT\)/,
    ],
    [
      'sends a head without end',
      'http',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(1_000_000)}`),
      'answer',
      'network',
      /HPE_HEADER_OVERFLOW/,
    ],
    [
      'sends a body without end',
      'http',
      (socket) => {
        socket.write(`${HEAD}\r\n`);
        const more = () => {
          while (!socket.destroyed && socket.write('x'.repeat(65_536)));
          socket.once('drain', more);
        };
        more();
      },
      'answer',
      'mcp-server',
      /answers 200 to a request without a token/,
    ],
    [
      'stops within the body',
      'http',
      (socket) => socket.write(`${HEAD}Content-Length: 100\r\n\r\n{`),
      'answer',
      'mcp-server',
      /answers 200 to a request without a token/,
    ],
    ['never ends the handshake of TLS', 'https', () => {}, 'tls', 'network', /no TLS connection to .* \(TIMEOUT\)/],
    [
      'speaks plain http where the URL is https',
      'https',
      (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'tls',
      'network',
      /no TLS connection to .* \(ERR_SSL_/,
    ],
  ])('a server that %s is named, with whose turn it is', async (_, scheme, talk, step, responsible, says) => {
    await using raw = await startRaw(talk);
    const report = await examine(`${scheme}://${raw.host}/mcp --timeout 1`);
    expect(stepsWith(report, 'fault'), report.stdout).toEqual([step]);
    expect([report.status, report.responsible]).toEqual([1, responsible]);
    expect(found(report, step)?.says).toMatch(says);
  });

  it('RFC 5280 §4.1.2.5 an expired certificate is named, and nothing is sent', async () => {
    await using site = await startSite(undefined, true, { certificate: { ...CERTIFICATES, cert: EXPIRED } });
    const report = await examine(site.url);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['tls'], 'network']);
    expect(found(report, 'tls')).toMatchObject({
      says: expect.stringContaining('valid until 2020-01-02, is not trusted: CERT_HAS_EXPIRED'),
      fix: 'Renew the certificate.',
    });
    expect(site.asked).toEqual([]);
  });

  it('RFC 9110 §4.3.4 a certificate for another name is named, and nothing is sent', async () => {
    await using site = await startSite(undefined, true, { host: '::1' });
    const report = await examine(`https://[::1]:${new URL(site.url).port}/mcp`);
    expect([stepsWith(report, 'fault'), report.responsible]).toEqual([['tls'], 'network']);
    expect(found(report, 'tls')?.says).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(site.asked).toEqual([]);
  });

  it('RFC 4291 a server that has IPv6 alone is examined', async () => {
    await using site = await startSite(undefined, false, { host: '::1' });
    const report = await examine(`${site.url} --token ${await site.token()}`);
    expect([...stepsWith(report, 'fault'), ...stepsWith(report, 'note')], report.stdout).toEqual([]);
    expect(found(report, 'name')?.says).toBe('an address, which needs no DNS');
  });
});

describe('a server that is broken after its first answer', () => {
  const html: Answer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in</html>' };

  it.each<[string, Fault]>([
    ['hangs', (answer, { headers, path }) => (path === '/mcp' && !headers.origin ? answer : undefined)],
    ['answers everything else with a web page', (answer, { path }) => (path === '/mcp' ? answer : html)],
    [
      'answers everything else with half a document',
      (answer, { path }) => (path === '/mcp' ? answer : { status: 200, headers: answer.headers, body: '{"a":' }),
    ],
  ])('a server that then %s ends the run with one sentence', async (what, fault) => {
    await using site = await startSite(fault);
    const report = await examine(`${site.url} --timeout ${what === 'hangs' ? 2 : 60}`);
    expect(stepsWith(report, 'fault')[0], report.stdout).toBe('resource');
    expect([report.status, report.responsible]).toEqual([1, 'mcp-server']);
    expect(report.sentence).toMatch(/^The operator of the MCP server has to act: resource\./);
  });

  it('a server whose answers all take very long is given up after a time, and that is said', async () => {
    const url = new URL('https://mcp.example.com/mcp');
    let now = 0;
    const ask = async () => {
      now += 9_000;
      return { url: url.href, status: 401, headers: {}, body: '', cut: false, sentAt: now, answeredAt: now };
    };
    const dependencies = {
      ask,
      listen: async () => ({ head: await ask(), next: async () => undefined, close: () => {} }),
      lookup: async () => ({ addresses: ['192.0.2.1'] }),
      secure: async () => ({ protocol: 'TLSv1.3' }),
      now: () => now,
    };
    const known: Known = { url, client: { name: 'test', page: true }, origin: 'https://app.example' };
    const { findings } = await walk(dependencies, known, 30_000, () => {});
    const faults = findings.filter(({ outcome }) => outcome === 'fault');
    const last = faults.at(-1);
    expect(faults.map(({ step }) => step)).toEqual(['challenge', 'resource', 'server']);
    expect(last?.says).toMatch(/^The answers so far have taken \d+ s together, so the run ends here\.$/);
    expect(findings.at(-1)).toMatchObject({ step: 'stream', outcome: 'not-tried', says: 'server failed' });
    expect(findings).toHaveLength(18);
  });
});

describe('CWE-150 control characters of a server', () => {
  const EVIL = '\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\u2028\r\n  ✓ forged';

  it.each(['', ' --json'])('reach neither output, wherever they are%s', async (json) => {
    await using site = await startSite((answer, { path, rpc, headers }) => {
      if (rpc === 'initialize' && headers.authorization) {
        const result = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: EVIL } };
        return { ...answer, body: { jsonrpc: '2.0', id: 1, result } };
      }
      if (rpc === 'tools/list')
        return { ...answer, body: { jsonrpc: '2.0', id: 1, result: { tools: [{ name: EVIL }] } } };
      if (rpc === 'ping') return { ...answer, status: 404, body: { error: EVIL } };
      const document = path.startsWith('/.well-known/oauth-authorization')
        ? { code_challenge_methods_supported: [EVIL] }
        : path === '/jwks'
          ? { keys: [{ ...(answer.body as { keys: object[] }).keys[0], alg: EVIL }] }
          : undefined;
      return document ? { ...answer, body: { ...(answer.body as object), ...document } } : answer;
    });
    const { stdout, stderr } = await doctor(
      `${site.url} --token ${await site.token({ sub: EVIL, scope: EVIL })}${json}`,
    );
    expect(stdout).toContain('owned');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(`${stdout}${stderr}`).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/);
    expect(stdout.split('\n').filter((line) => line.startsWith('  ✓ forged'))).toEqual([]);
  });
});
