/**
 * Proves what the log says of a refusal: the caller, the claim, header or scope that decided, the expected and the
 * actual value, and the setting to check; no secret, and bounded text.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bearer, type Harness, PING, post, startHarness } from '../../support/http-harness.ts';
import { signingKey, signToken } from '../../support/issuer.ts';
import { type KeyHolder, keyHolder } from '../../support/proof.ts';

let server: Harness;
let client: KeyHolder;
beforeAll(async () => {
  [server, client] = await Promise.all([startHarness(), keyHolder()]);
});
beforeEach(() => {
  server.log.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

const now = () => server.clock.now() / 1000;
const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

/** Waits for the line of the request, then returns the line with the reason. */
async function line(at: Harness, msg = 'request refused'): Promise<Record<string, unknown>> {
  await expect.poll(() => at.log.some((text) => text.includes('"msg":"request"'))).toBe(true);
  const lines = at.log.map((text) => JSON.parse(text) as Record<string, unknown>);
  return lines.find((entry) => entry.msg === msg) ?? {};
}

const WHO = { subject: 'person-1', client: 'client-1' };
const UNVERIFIED = { ...WHO, verified: false };

describe('RFC 6750 §3.1 the log of a refused token', () => {
  type Row = [string, () => Promise<string>, () => Record<string, unknown>];
  const rows: Row[] = [
    ['its type', () => server.token({}, { typ: 'JWT' }), () => ({ reason: 'wrong_type', header: 'typ', expected: ['at+jwt'], found: 'JWT', setting: 'TOKEN_TYPES', ...UNVERIFIED })],
    ['no type', () => server.token({}, { typ: undefined }), () => ({ reason: 'wrong_type', header: 'typ', found: 'nothing', ...UNVERIFIED })],
    ['its algorithm', async () => signToken({ key: await signingKey('key-1', 'ES384'), claims: server.claims() }), () => ({ reason: 'algorithm', header: 'alg', expected: expect.arrayContaining(['ES256', 'RS256']), found: 'ES384', setting: 'TOKEN_ALGORITHMS', ...UNVERIFIED })],
    ['its key', async () => signToken({ key: await signingKey('other'), claims: server.claims() }), () => ({ reason: 'unknown_key', header: 'kid', expected: 'a key for ES256, of key-1', found: 'other', setting: 'ISSUER', ...UNVERIFIED })],
    ['its signature', async () => signToken({ key: await signingKey('key-1'), claims: server.claims() }), () => ({ reason: 'bad_signature', ...UNVERIFIED })],
    ['its issuer', () => server.token({ iss: 'https://other.example' }), () => ({ reason: 'wrong_issuer', claim: 'iss', expected: server.issuer.url, found: 'https://other.example', setting: 'ISSUER', ...WHO })],
    ['its audience', () => server.token({ aud: ['api://x', 'y'] }), () => ({ reason: 'wrong_audience', claim: 'aud', expected: expect.arrayContaining([`${server.url}/mcp`]), found: ['api://x', 'y'], setting: 'AUDIENCES', ...WHO })],
    ['no audience', () => server.token({ aud: undefined }), () => ({ reason: 'no_audience', claim: 'aud', found: 'nothing', setting: 'AUDIENCES, AUDIENCE_CLAIM', mend: expect.stringMatching(/At the issuer: .*Here: .*AUDIENCE_CLAIM/), ...WHO })],
    ['its end', () => server.token({ iat: now() - 700, exp: now() - 60 }), () => ({ reason: 'expired', claim: 'exp', expected: `after ${iso(now() - 5)}`, found: iso(now() - 60), setting: 'CLOCK_TOLERANCE', ...WHO })],
    ['its beginning', () => server.token({ nbf: now() + 60 }), () => ({ reason: 'not_yet_valid', claim: 'nbf', expected: `before ${iso(now() + 5)}`, found: iso(now() + 60), setting: 'CLOCK_TOLERANCE', ...WHO })],
    ['when it was issued', () => server.token({ iat: now() + 60 }), () => ({ reason: 'not_yet_valid', claim: 'iat', found: iso(now() + 60), setting: 'CLOCK_TOLERANCE', ...WHO })],
    ['its subject', () => server.token({ sub: 5 }), () => ({ reason: 'missing_claim', claim: 'sub', found: 5, subject: 5, client: 'client-1' })],
    ['its client', () => server.token({ client_id: undefined }), () => ({ reason: 'missing_claim', claim: 'client_id', found: 'nothing', subject: 'person-1' })],
    ['a binding that is not known', () => server.token({ cnf: { 'x5t#S256': 'x' } }), () => ({ reason: 'sender_constrained', claim: 'cnf', found: 'an object of x5t#S256', ...WHO })],
    ['a key that it is bound to', () => server.token({ cnf: { jkt: client.thumbprint } }), () => ({ reason: 'sender_constrained', claim: 'cnf', expected: 'a DPoP proof, as the token is bound to a key', found: 'Bearer', ...WHO })],
  ]; // biome-ignore format: one table
  it.each(rows)(
    'a token refused for %s is logged with its owner, the deciding claim and the expected value',
    async (_, token, expected) => {
      const value = await token();
      expect((await server.fetch('/mcp', post(value, PING))).status).toBe(401);
      expect(await line(server)).toMatchObject({ status: 401, error: 'invalid_token', ...expected() });
      for (const part of value.split('.')) expect(server.log.join('')).not.toContain(part);
    },
  );

  it('a long value from a refused token is truncated in the log', async () => {
    const long = 'x'.repeat(5_000);
    await server.fetch('/mcp', post(await server.token({ sub: long, aud: Array(4).fill(long) }), PING));
    expect((await line(server)).reason).toBe('wrong_audience');
    expect(Math.max(...server.log.map((text) => text.length))).toBeLessThan(4_000);
  });

  it('a token refused for lack of a proof is logged with the setting that requires one', async () => {
    await using strict = await startHarness({ dpopRequired: true });
    await strict.fetch('/mcp', post(await strict.token(), PING));
    expect(await line(strict)).toMatchObject({ reason: 'not_bound', found: 'Bearer', setting: 'DPOP_REQUIRED' });
  });
});

describe('RFC 9449 §7.1 the log of a refused proof', () => {
  type Change = Partial<Parameters<KeyHolder['prove']>[0]>;
  const rows: [string, (token: string) => Promise<string>, () => Record<string, unknown>][] = [
    ['its method', prove({ method: 'GET' }), () => ({ reason: 'proof_method', claim: 'htm', expected: 'POST', found: 'GET' })],
    ['its address', prove({ url: 'https://other.example/mcp?code=secret' }), () => ({ reason: 'proof_url', claim: 'htu', expected: `${server.url}/mcp`, found: 'https://other.example/mcp', setting: 'PUBLIC_URL' })],
    ['its type', prove({ header: { typ: 'JWT' } }), () => ({ reason: 'proof_type', header: 'typ', expected: 'dpop+jwt', found: 'JWT' })],
    ['its time', prove({ claims: { iat: 1_000 } }), () => ({ reason: 'nonce_wanted', claim: 'iat', found: '1970-01-01T00:16:40.000Z', setting: 'CLOCK_TOLERANCE' })],
    ['its key', async (token) => (await keyHolder()).prove({ token, url: `${server.url}/mcp`, now: now() }), () => ({ reason: 'bound_to_another_key', claim: 'cnf', expected: `a proof of the key ${client.thumbprint}` })],
  ]; // biome-ignore format: one table

  function prove(change: Change) {
    return (token: string) => client.prove({ token, url: `${server.url}/mcp`, now: now(), ...change });
  }

  it.each(rows)(
    'a proof refused for %s is logged with its owner, the deciding claim and the expected value',
    async (_, proof, expected) => {
      const token = await server.token({ cnf: { jkt: client.thumbprint } });
      const headers = { authorization: `DPoP ${token}`, dpop: await proof(token) };
      expect((await server.fetch('/mcp', post('', PING, headers))).status).toBe(401);
      expect(await line(server)).toMatchObject({ status: 401, ...WHO, ...expected() });
      expect(server.log.join('')).not.toMatch(/secret/);
    },
  );
});

describe('RFC 6750 §3.1 insufficient_scope', () => {
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'status', arguments: { secret: 'x' } } };

  it('a missing scope is logged with person, client, tool, and the expected and found scopes', async () => {
    expect((await server.fetch('/mcp', post(await server.token(), call))).status).toBe(403);
    expect(await line(server)).toMatchObject({
      status: 403, error: 'insufficient_scope', rpc: 'tools/call', tool: 'status', ...WHO,
      claim: 'scope', expected: ['mcp:tools', 'mcp:admin'], found: ['mcp:tools'], setting: expect.stringContaining('SCOPE_HIERARCHY'),
    }); // biome-ignore format: one table
    expect(server.log.join('')).not.toContain('secret');
  });

  it('a missing base scope is logged with its setting', async () => {
    await server.fetch('/mcp', post(await server.token({ scope: 'openid' }), PING));
    expect(await line(server)).toMatchObject({
      rpc: 'ping',
      expected: ['mcp:tools'],
      found: ['openid'],
      setting: 'BASE_SCOPE',
    });
  });
});

describe('the log line of a request', () => {
  it.each([
    ['a tool', { method: 'tools/call', params: { name: 'echo', arguments: {} } }, { rpc: 'tools/call', tool: 'echo' }],
    ['a prompt', { method: 'prompts/get', params: { name: 'try-out' } }, { rpc: 'prompts/get', prompt: 'try-out' }],
    [
      'a resource, without its query',
      { method: 'resources/read', params: { uri: 'file:///a?code=secret' } },
      { rpc: 'resources/read', resource: 'file:///a' },
    ],
    ['an unknown method', { method: 'x'.repeat(5_000) }, { rpc: `${'x'.repeat(200)}…` }],
    ['no method', { result: {} }, {}],
  ])('a request is logged with %s, and the caller', async (_, message, expected) => {
    await server.fetch('/mcp', post(await server.token(), { jsonrpc: '2.0', id: 1, ...message }));
    expect(await line(server, 'request')).toMatchObject({
      method: 'POST',
      path: '/mcp',
      status: 200,
      ...WHO,
      ...expected,
    });
    expect(server.log.join('')).not.toContain('secret');
  });

  it.each([
    [
      'a batch by its first message',
      [{ method: 'tools/call', params: { name: 'echo' } }, {}],
      { rpc: 'tools/call', tool: 'echo', messages: 2 },
    ],
    ['lists in lists', [[[{ method: 'x' }]]], { messages: 1 }],
    ['parameters of odd types', { method: 'tools/call', params: { name: {}, uri: 5 } }, { rpc: 'tools/call' }],
    ['parameters that are a list', { method: 'tools/call', params: ['echo'] }, { rpc: 'tools/call' }],
  ])('an unusual request is logged: %s', async (_, message, expected) => {
    await server.fetch('/mcp', post(await server.token(), message));
    expect(await line(server, 'request')).toMatchObject({ ...WHO, ...expected });
  });
});

describe('the log of a refusal before the token is checked', () => {
  it.each([
    [
      'a host',
      { host: 'evil.example' },
      { reason: 'wrong_host', header: 'Host', found: 'evil.example', setting: 'ALLOWED_HOSTS' },
    ],
    [
      'an origin',
      { origin: 'https://evil.example' },
      { reason: 'wrong_origin', header: 'Origin', found: 'https://evil.example', setting: 'ALLOWED_ORIGINS' },
    ],
  ])('a refusal for %s is logged with its reason and setting', async (_, headers, expected) => {
    const { request } = await import('node:http');
    await new Promise((resolve) =>
      request(`${server.url}/mcp`, { headers: { ...bearer('x'), ...headers } }, (answer) =>
        answer.resume().on('end', resolve),
      ).end(),
    );
    expect(await line(server)).toMatchObject({ status: 403, ...expected });
  });
});
