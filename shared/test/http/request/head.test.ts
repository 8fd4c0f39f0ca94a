/** Proves which requests are refused because of their header fields alone (RFC 9112 §3.2). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../../src/http/admission.ts';
import { refusalOfHead } from '../../../src/http/request/head.ts';
import { createLogger } from '../../../src/logger.ts';
import { createExposition } from '../../../src/metrics/exposition.ts';
import { serve } from '../../../testing/listen.ts';
import { rawRequest, statusOf } from '../../../testing/raw-request.ts';

/** As in Node: the first of several Host fields. */
const head = (...fields: readonly [string, string][]) => {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) headers[name.toLowerCase()] ??= value;
  return { headers, rawHeaders: fields.flat() };
};
const status = (...fields: readonly [string, string][]) => refusalOfHead(head(...fields))?.status;

describe('RFC 9112 §3.2 Host', () => {
  it.each([
    'a.example',
    'a.example:8080',
    'a.example:',
    '',
    '127.0.0.1:1',
    '[::1]:8080',
    '[fe80::1%25eth0]:80',
    '[fe80::1%eth0]',
    'a_b.example',
  ])('Host: %j is accepted', (value) => {
    expect(status(['Host', value])).toBeUndefined();
  });

  it.each([
    'a b',
    'a,b c',
    'user@a.example',
    'http://a.example',
    'a.example/x',
    'a.example?x',
    'a\\b',
    'a:b',
    '[::1',
    'ä',
  ])('Host: %j is refused with 400', (value) => {
    expect(status(['Host', value])).toBe(400);
  });

  it('two Host fields are refused with 400, also with the same value and in any case', () => {
    expect(status(['Host', 'a'], ['Host', 'b'])).toBe(400);
    expect(status(['host', 'a'], ['Accept', '*/*'], ['HOST', 'a'])).toBe(400);
  });
});

describe('RFC 9110 §15.5.16 Content-Encoding', () => {
  it.each([
    'gzip',
    'br',
    'deflate',
    'zstd',
    'compress',
    'x-gzip',
    'GZIP',
    'identity, gzip',
    'identity, identity',
    'aes128gcm',
    '*',
  ])('Content-Encoding: %s is refused with 415, and the answer names the accepted coding', (coding) => {
    const refusal = refusalOfHead(head(['Host', 'a'], ['Content-Encoding', coding]));
    expect([refusal?.status, refusal?.headers]).toEqual([415, { 'Accept-Encoding': 'identity' }]);
  });

  it.each(['identity', 'Identity', ''])('Content-Encoding: %j counts as no coding', (coding) => {
    expect(status(['Host', 'a'], ['Content-Encoding', coding])).toBeUndefined();
  });
});

describe('refused request heads at the endpoints that the shared servers answer', () => {
  const TWO_HOSTS = ['Host: a', 'Host: b'];
  const CODED = ['Host: a', 'Content-Encoding: br'];

  it('GET /accepting with a refused head goes to the service, which refuses it', async () => {
    const { handler } = createAdmission((req, res) => res.writeHead(refusalOfHead(req)?.status ?? 500).end());
    await using server = await serve(handler);
    const ask = async (fields: readonly string[]) =>
      statusOf(await rawRequest(server.url, ['GET /accepting HTTP/1.1', ...fields]));
    expect([await ask(TWO_HOSTS), await ask(CODED), await ask(['Host: a'])]).toEqual([400, 415, 204]);
  });

  it('GET /metrics with a refused head is refused', async () => {
    await using server = await serve(createExposition([], createLogger('test', 'silent')));
    const ask = async (fields: readonly string[]) =>
      statusOf(await rawRequest(server.url, ['GET /metrics HTTP/1.1', ...fields]));
    expect([await ask(TWO_HOSTS), await ask(CODED), await ask(['Host: a'])]).toEqual([400, 415, 200]);
  });

  it('RFC 9110 §10.1.1 a refused request with Expect: 100-continue gets no 100, and its connection ends', async () => {
    await using server = await serve((req, res) => res.writeHead(refusalOfHead(req)?.status ?? 200).end());
    const ask = async (...fields: string[]) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1').setEncoding('utf8');
      socket.write(
        ['POST / HTTP/1.1', 'Host: a', 'Content-Length: 9', 'Expect: 100-continue', ...fields, '', ''].join('\r\n'),
      );
      const [answer] = (await once(socket, 'data')) as [string];
      socket.destroy();
      return answer;
    };
    expect(await ask('Content-Encoding: gzip')).toMatch(/^HTTP\/1\.1 415(.|\s)*Connection: close/);
    expect(await ask()).toMatch(/^HTTP\/1\.1 100 /);
  });
});
