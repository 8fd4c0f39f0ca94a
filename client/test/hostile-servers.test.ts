/** Proves that the doctor survives whatever a server answers: each member of each document with each odd value, and odd answers. */
import { describe, expect, it } from 'vitest';
import { examine } from './support/examine.ts';
import { type Answer, type Fault, startSite } from './support/site.ts';

const RESOURCE = '/.well-known/oauth-protected-resource/mcp';
const SERVER = '/.well-known/oauth-authorization-server';

const MEMBERS: readonly (readonly [path: string, member: string])[] = [
  ...['resource', 'authorization_servers', 'bearer_methods_supported'].map((name) => [RESOURCE, name] as const),
  ...[
    'issuer',
    'authorization_endpoint',
    'registration_endpoint',
    'jwks_uri',
    'response_types_supported',
    'code_challenge_methods_supported',
  ].map((name) => [SERVER, name] as const),
  ['/jwks', 'keys'],
];

const ODD: readonly unknown[] = [
  null,
  0,
  '',
  true,
  [],
  {},
  [null, 1, {}, []],
  'data:,x',
  'javascript:alert(1)',
  'http://',
  'http://[::1',
  'file:///etc/passwd',
  ['data:,x', 'mailto:a@b.example'],
  ['urn:x'],
  '\u001b[2J\u0000\ud83d',
  'x'.repeat(100_000),
  [{ kty: 'RSA', n: {}, e: [] }, { kty: 'EC' }, { kty: 5 }],
  // JavaScript throws when such a value becomes a text.
  { toString: 0, valueOf: 0 },
  [{ toString: 0, valueOf: 0 }],
];

/** A list in a list, and so on: JSON that JavaScript reads but can't write. */
const DEEP = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;

const inMember = (path: string, member: string, value: unknown): Fault => {
  return (answer, asked) =>
    asked.path === path && asked.method === 'GET'
      ? { ...answer, body: { ...(answer.body as object), [member]: value } }
      : answer;
};

const toInitialize = (odd: Answer): Fault => {
  return (answer, { rpc, headers }) => (rpc !== undefined && headers.authorization ? odd : answer);
};

const json = (body: unknown): Answer => ({ status: 200, headers: {}, body });

describe('the doctor at a hostile server', () => {
  it.each(MEMBERS)('the document %s with any value of %s ends with a report', async (path, member) => {
    for (const value of ODD) {
      await using site = await startSite(inMember(path, member, value));
      const report = await examine(`${site.url} --timeout 2 --as cursor`);
      expect([0, 1], JSON.stringify(value)).toContain(report.status);
      expect(report.steps).toHaveLength(18);
      expect(report.stdout.length).toBeLessThan(40_000);
    }
  });

  it.each(MEMBERS)('the document %s with lists inside lists as %s ends with a report', async (path, member) => {
    await using site = await startSite((answer, asked) => {
      if (asked.path !== path || asked.method !== 'GET') return answer;
      const body = JSON.stringify({ ...(answer.body as object), [member]: 'deep' }).replace('"deep"', DEEP);
      return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body };
    });
    const report = await examine(`${site.url} --timeout 2 --as cursor`);
    expect([0, 1]).toContain(report.status);
    expect(report.steps).toHaveLength(18);
  });

  it.each([
    ['a list', json([])],
    ['null', json(null)],
    ['a result that is a text', json({ jsonrpc: '2.0', id: 1, result: 'x' })],
    [
      'odd members',
      json({ jsonrpc: '2.0', id: 1, result: { protocolVersion: {}, serverInfo: [], capabilities: 7, tools: {} } }),
    ],
    [
      'odd tools',
      json({
        jsonrpc: '2.0',
        id: 1,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: 1 },
          tools: [null, 1, {}, { name: { toString: 0, valueOf: 0 } }],
        },
      }),
    ],
    ['odd versions', json({ jsonrpc: '2.0', id: 1, error: { data: { supported: [null, 9, '2026-07-28'] } } })],
    ['half a stream', { status: 200, headers: { 'content-type': 'text/event-stream' }, body: 'data: {"jsonrpc":' }],
    ['deep nesting', { status: 200, headers: { 'content-type': 'application/json' }, body: '['.repeat(100_000) }],
    [
      '401 with an endless challenge',
      { status: 401, headers: { 'www-authenticate': `Bearer ${'a="b",'.repeat(2_000)}` } },
    ],
    [
      '401 with a challenge of quotes',
      { status: 401, headers: { 'www-authenticate': `Bearer a="${'\\"'.repeat(7_000)}` } },
    ],
    ['403 with nothing', { status: 403, headers: {} }],
  ] as const)('an answer to MCP that is %s ends with a report', async (_, odd) => {
    await using site = await startSite(toInitialize(odd));
    const report = await examine(`${site.url} --timeout 2 --token ${await site.token()}`);
    expect([0, 1]).toContain(report.status);
    expect(report.steps).toHaveLength(18);
  });

  it.each([
    ['three words', 'a.b.c'],
    ['empty objects', 'e30.e30.e30'],
    ['a list as claims', 'e30.W10.x'],
    ['two dots', '..'],
    ['20,000 letters', 'x'.repeat(20_000)],
  ])('a token of %s ends with a report', async (_, token) => {
    await using site = await startSite();
    const report = await examine(`${site.url} --token ${token}`);
    expect([0, 1]).toContain(report.status);
  });

  it('claims of any type are explained', async () => {
    await using site = await startSite();
    for (const odd of [
      null,
      [],
      {},
      -1,
      1e300,
      ['a', null],
      'x'.repeat(5_000),
      { toString: 0, valueOf: 0 },
      [{ toString: 0 }],
    ]) {
      const claims = { iss: odd, aud: odd, sub: odd, exp: odd, nbf: odd, scope: odd, client_id: odd, cnf: odd };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const token = `${part({ alg: odd, typ: odd, kid: odd })}.${part(claims)}.c2ln`;
      const report = await examine(`${site.url} --token ${token}`);
      expect([0, 1]).toContain(report.status);
    }
    const deep = `{"iss":${DEEP.slice(45_000, 55_000)},"aud":${DEEP.slice(45_000, 55_000)}}`;
    const report = await examine(`${site.url} --token e30.${Buffer.from(deep).toString('base64url')}.c2ln`);
    expect([0, 1]).toContain(report.status);
  });
});
