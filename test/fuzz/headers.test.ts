/** Fuzzes the head of a request at both services: its request line, its fields, and the client addresses in them. */
import { connect } from 'node:net';
import fc from 'fast-check';
import { it } from 'vitest';
import { fuzz, type Target } from './fuzz.ts';
import { openAuth, openMcp, statusOf } from './targets.ts';
import { fieldValue, headerValue, oddText } from './values.ts';

/**
 * Sends bytes, ends its side, and reads until the server closes.
 * @returns the status of each answer; none where the server only closes
 */
function exchange(url: string, text: string): Promise<number[]> {
  return new Promise((resolve) => {
    let answer = '';
    const done = () =>
      resolve([...answer.matchAll(/(?:^|\n|[^\n]*)HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)));
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.end(Buffer.from(text, 'latin1')));
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      answer += chunk;
      // A stream of events has no end to wait for.
      if (/^content-type: text\/event-stream/im.test(answer)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', done);
  });
}

const PATHS = [
  '/', '/mcp', '/sse', '/messages', '/messages?sessionId=x', '/livez', '/readyz', '/accepting', '/authorize', '/token', '/par', '/revoke', '/register',
  '/jwks', '/interaction/x', '/interaction/x/approve', '/callback/acme', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration',
  '/.well-known/oauth-protected-resource/mcp', '*', '//', '/%', '/%00', '/%ff', '/../mcp', '/mcp/', '/MCP', 'http://localhost/mcp', 'http://[', 'mcp',
]; // biome-ignore format: one list
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT', 'QUERY', 'get', 'X'];
const NAMES = [
  'Host', 'Authorization', 'Content-Type', 'Content-Length', 'Content-Encoding', 'Transfer-Encoding', 'Accept', 'Accept-Encoding', 'Accept-Language',
  'Origin', 'Referer', 'Cookie', 'Connection', 'Upgrade', 'Expect', 'Range', 'If-None-Match', 'If-Modified-Since', 'DPoP', 'Mcp-Session-Id',
  'Mcp-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Last-Event-ID', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'X-Real-IP',
  'Sec-Fetch-Site', 'Sec-Fetch-Mode', 'Sec-Fetch-Dest', 'Sec-Fetch-User', 'Access-Control-Request-Method', 'Access-Control-Request-Headers', 'TE', 'Trailer',
  'X-HTTP-Method-Override', 'Prefer', '__proto__', 'constructor',
]; // biome-ignore format: one list

const target = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...PATHS) },
  { weight: 1, arbitrary: oddText.map((text) => `/${text.replace(/[\r\n ]/g, '')}`) },
);
const fields = fc.array(
  fc.tuple(
    fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: headerValue }),
    fieldValue,
  ),
  { maxLength: 6 },
);
const body = fc.oneof(fc.constant(''), fc.constant('{}'), fc.string({ maxLength: 30 }));

interface Head {
  readonly line: string;
  readonly hasHost: boolean;
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
}

const heads: fc.Arbitrary<Head> = fc.record({
  line: fc.tuple(fc.constantFrom(...METHODS), target).map(([method, path]) => `${method} ${path} HTTP/1.1`),
  hasHost: fc.nat(9).map((n) => n > 0),
  fields,
  body,
});

const written = ({ line, hasHost, fields: all, body: sent }: Head, host: string): string =>
  [
    line,
    ...(hasHost ? [`Host: ${host}`] : []),
    ...all.map(([name, value]) => `${name}: ${value}`),
    ...(sent ? [`Content-Length: ${Buffer.byteLength(sent, 'latin1')}`] : []),
    'Connection: close',
    '',
    sent,
  ].join('\r\n');

it('RFC 9112 §2.1 odd request heads at mcp-server cause no server error', () =>
  fuzz<Head, Target & { readonly url: string }>({
    name: 'heads at mcp-server',
    share: 1_300,
    open: () => openMcp(),
    inputs: heads,
    send: (on, head) => exchange(on.url, written(head, new URL(on.url).host)),
  }));

it('RFC 9112 §2.1 odd request heads at auth-server cause no server error', () =>
  fuzz<Head, Target & { readonly url: string }>({
    name: 'heads at auth-server',
    share: 1_300,
    open: () => openAuth(),
    inputs: heads,
    send: (on, head) => exchange(on.url, written(head, 'localhost:9000')),
  }));

const ip = fc.oneof(
  fc.ipV4(), fc.ipV4Extended(), fc.ipV6(),
  fc.constantFrom('fe80::1%eth0', 'fe80::1%25', '::ffff:10.0.0.1', '::ffff:0:1', '[::1]:443', '[fe80::1%lo]', '10.0.0.1:80', 'unknown', '_hidden', '"[2001:db8::1]:4711"', '999.1.1.1', '::', '0', '1.2.3', ' ', ''),
  oddText.map((text) => text.replace(/[^\t\x20-\x7e]/g, '')),
); // biome-ignore format: one line for each kind

it('RFC 7239 §5 odd addresses from proxies and connections cause no server error', () =>
  fuzz<[string[], string, string | undefined], Awaited<ReturnType<typeof openAuth>>>({
    name: 'addresses',
    share: 1_500,
    open: () => openAuth([], { TRUSTED_PROXIES: 'loopback,private,fe80::/10,fc00::/7' }),
    inputs: fc.tuple(fc.array(ip, { maxLength: 5 }), ip, fc.option(fc.constantFrom('fe80::1%eth0', 'fe80::dead:beef%2', '::ffff:192.168.1.1', '10.0.0.7', '203.0.113.9', '2001:db8::1', '', 'nonsense'), { nil: undefined })),
    send: async (on, [forwarded, one, from]) => {
      on.from = from;
      const headers = { 'x-forwarded-for': forwarded.join(', '), forwarded: `for=${one}; proto=https;by=${one}`, 'x-real-ip': one, 'content-type': 'application/json' };
      return [
        await statusOf(on.fetch('/token', { method: 'POST', headers, body: '{}' })),
        await statusOf(on.fetch('/register', { method: 'POST', headers, body: '{}' })),
      ];
    },
  })); // biome-ignore format: one line for each kind
