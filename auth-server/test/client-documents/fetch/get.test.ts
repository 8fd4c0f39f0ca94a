/**
 * Proves that an unauthenticated caller cannot make this server reach into a network, wait, or read an excessive amount
 * of data (CWE-918).
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ClientDocumentError } from '../../../src/client-documents/document-error.ts';
import { createGet, type Network } from '../../../src/client-documents/fetch/get.ts';
import { ClientHost, type HostAnswer, trustTestCertificate } from '../../support/client-host.ts';
import { NameServer } from '../name-server.ts';

trustTestCertificate();
let host: ClientHost;
beforeAll(async () => {
  host = await ClientHost.start();
});
afterAll(() => host[Symbol.asyncDispose]());

const at = (name: string, path = '/client.json') => new URL(`https://${name}:${host.port}${path}`);
const resolvesTo =
  (...addresses: readonly string[]) =>
  async () =>
    addresses;

async function attempt(url: URL, network: Network = {}, mayBePrivate = false) {
  const before = { requests: host.seen.length, connections: host.connections };
  const answer = await createGet({ timeout: 60_000, ...network })(url, { limit: 5_120, mayBePrivate }).catch(
    (error: unknown) => error,
  );
  return {
    reason: answer instanceof ClientDocumentError ? answer.reason : 'answered',
    answer: answer as Awaited<ReturnType<ReturnType<typeof createGet>>>,
    requests: host.seen.length - before.requests,
    connections: host.connections - before.connections,
  };
}

describe('CWE-918 a host name that leads to an internal address', () => {
  it.each([
    ['loopback', ['127.0.0.1']],
    ['loopback as IPv4 in IPv6', ['::ffff:127.0.0.1']],
    ['loopback of IPv6', ['::1']],
    ['this network', ['0.0.0.0']],
    ['a public and an inner address', ['1.1.1.1', '127.0.0.1']],
    ['an inner and a public address', ['127.0.0.1', '2606:4700:4700::1111']],
    ['the metadata of a cloud', ['169.254.169.254']],
  ])('the resolved address %s opens no connection', async (_, addresses) => {
    const result = await attempt(at('app.client.test'), { resolve: resolvesTo(...addresses) });
    expect(result).toMatchObject({ reason: 'private_address', requests: 0, connections: 0 });
  });

  it('DNS rebinding: the name is resolved once, and the connection goes to the resolved address', async () => {
    const answers = [['127.0.0.1'], ['10.0.0.1']];
    const asked: string[] = [];
    const resolve = async (name: string) => {
      asked.push(name);
      return answers.shift() ?? [];
    };
    host.answers.set('/client.json', { body: {} });
    // Loopback stands in for a public address; the next answer of the name server would be an internal one.
    const isPublic = (address: string) => address === '127.0.0.1';
    expect((await attempt(at('rebinding.attacker.net'), { resolve, isPublic })).reason).toBe('answered');
    expect(asked).toEqual(['rebinding.attacker.net']);
    const second = await attempt(at('rebinding.attacker.net'), { resolve, isPublic });
    expect(second).toMatchObject({ reason: 'private_address', requests: 0, connections: 0 });
  });

  it('a connection whose remote address differs from the resolved one gets no request', async () => {
    let looks = 0;
    const isPublic = () => {
      looks += 1;
      return looks === 1;
    };
    const result = await attempt(at('app.client.test'), { resolve: resolvesTo('127.0.0.1'), isPublic });
    expect(result).toMatchObject({ reason: 'private_address', requests: 0 });
    expect(looks).toBe(2);
  });

  it('a host listed as private is fetched, with its certificate checked', async () => {
    host.answers.set('/client.json', { body: { a: 1 }, headers: { etag: '"1"' } });
    const { answer, reason } = await attempt(at('localhost'), {}, true);
    expect([reason, answer.status, answer.headers.etag, answer.body]).toEqual(['answered', 200, '"1"', '{"a":1}']);
    const other = await attempt(at('127.0.0.1'), {}, true);
    expect(other.reason).toBe('answered');
    const resolve = resolvesTo('127.0.0.1');
    const wrong = await attempt(at('elsewhere.client.test'), { resolve, isPublic: () => true });
    expect(wrong).toMatchObject({ reason: 'tls', requests: 0 });
  });
});

describe('CWE-918 a hostile DNS server', () => {
  const network = (server: NameServer, change: Network = {}) => ({ nameServers: [server.address], ...change });

  it.each([
    ['loopback', ['127.0.0.1']],
    ['IPv4 in IPv6', ['::ffff:127.0.0.1']],
    ['a public and an inner address', ['1.1.1.1', '::1']],
  ])('a DNS answer of %s opens no connection', async (_, addresses) => {
    await using server = await NameServer.start(() => addresses);
    const result = await attempt(at('app.client.test'), network(server));
    expect(result).toMatchObject({ reason: 'private_address', requests: 0, connections: 0 });
  });

  it('a rebinding DNS server is asked once for each address family', async () => {
    await using server = await NameServer.start(({ questions }) => (questions <= 2 ? ['127.0.0.1'] : ['10.0.0.1']));
    host.answers.set('/client.json', { body: {} });
    const isPublic = (address: string) => address === '127.0.0.1';
    expect((await attempt(at('rebinding.attacker.net'), network(server, { isPublic }))).reason).toBe('answered');
    expect(server.questions.sort()).toEqual(['A rebinding.attacker.net', 'AAAA rebinding.attacker.net']);
    const again = await attempt(at('rebinding.attacker.net'), network(server, { isPublic }));
    expect(again).toMatchObject({ reason: 'private_address', requests: 0, connections: 0 });
  });

  it('a silent DNS server ends in the timeout, and an empty answer in a DNS failure', async () => {
    await using silent = await NameServer.start(() => undefined);
    expect((await attempt(at('app.client.test'), network(silent, { timeout: 200 }))).reason).toBe('timeout');
    await using empty = await NameServer.start(() => []);
    expect((await attempt(at('app.client.test'), network(empty))).reason).toBe('dns');
  });

  it('the name is resolved as written, without the hosts file and search domains', async () => {
    await using server = await NameServer.start(() => []);
    expect((await attempt(at('localhost.client.test'), network(server))).reason).toBe('dns');
    expect(new Set(server.questions)).toEqual(new Set(['A localhost.client.test', 'AAAA localhost.client.test']));
  });
});

describe('draft-ietf-oauth-client-id-metadata-document §5 fetching a document', () => {
  const read = (answer: HostAnswer, network: Network = {}) => {
    host.answers.set('/d', answer);
    return attempt(at('localhost', '/d'), network, true);
  };

  it('a redirect is an answer and is not followed', async () => {
    const { answer, requests } = await read({ status: 302, headers: { location: at('localhost').href } });
    expect([answer.status, requests]).toEqual([302, 1]);
  });

  it('§8.7 a document is read up to its size limit', async () => {
    expect((await read({ body: 'x'.repeat(5_120) })).reason).toBe('answered');
    expect((await read({ body: 'x'.repeat(5_121) })).reason).toBe('too_large');
    expect((await read({ body: Buffer.alloc(5_000_000) })).reason).toBe('too_large');
  });

  it('a compressed document is refused', async () => {
    const { reason } = await read({ body: gzipSync('{}'), headers: { 'content-encoding': 'gzip' } });
    expect(reason).toBe('encoding');
    expect(host.seen.at(-1)?.headers['accept-encoding']).toBe('identity');
  });

  it.each([
    ['longer than a document may be', { body: 'x'.repeat(100_000) }],
    ['packed', { body: gzipSync('no'), headers: { 'content-encoding': 'gzip' } }],
    ['without an end', { endless: true }],
  ])('RFC 9110 §15 an error answer is judged by its status: an error page %s', async (_, page) => {
    for (const status of [302, 403, 404, 429, 503]) {
      const { reason, answer } = await read({ status, ...page });
      expect([reason, answer.status, answer.body]).toEqual(['answered', status, '']);
    }
  });

  it('a fetch ends within its time limit, also where the body never ends', async () => {
    expect((await read({ silent: true }, { timeout: 200 })).reason).toBe('timeout');
    expect((await read({ body: '{', headers: { 'content-length': '100' } })).reason).toBe('connection');
    expect((await read({ endless: true }, { timeout: 200 })).reason).toBe('timeout');
    const resolve = () => new Promise<never>(() => {});
    expect((await attempt(at('app.client.test'), { resolve, timeout: 100 })).reason).toBe('timeout');
  });

  it.each([
    ['changes the protocol', { status: 101, headers: { connection: 'upgrade', upgrade: 'h2c' } }],
    ['speaks without end before it answers', { headers: { 'x-long': 'x'.repeat(20_000) } }],
  ])('a host that %s causes no harm and no endless wait', async (_, answer) => {
    expect(['connection', 'timeout']).toContain((await read(answer, { timeout: 500 })).reason);
  });

  it('an unreachable host is a DNS or connection failure', async () => {
    expect((await attempt(at('app.client.test'), { resolve: resolvesTo() })).reason).toBe('dns');
    await using gone = await ClientHost.start();
    await gone.down();
    expect((await attempt(new URL(gone.url()), {}, true)).reason).toBe('connection');
  });

  it('a fetch sends no cookie, authorization or referrer', async () => {
    await read({ body: {} });
    expect(Object.keys(host.seen.at(-1)?.headers ?? {}).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'user-agent',
    ]);
  });
});
