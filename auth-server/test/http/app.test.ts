/** Proves what holds for every request: the issuer as the public host, headers, error answers, and the log. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { rawRequest } from '@mcp-oauth/shared/testing/raw-request';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ISSUER, type RunningServer, read, startServer } from '../support/running-server.ts';

const METADATA = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const raw = (head: readonly string[]) => rawRequest(server.address, head);

describe('RFC 8414 §3.2 metadata', () => {
  it('metadata describes this server, the same at both well-known paths', async () => {
    const metadata = await read(await server.fetch(METADATA));
    expect(await read(await server.fetch(OPENID))).toEqual(metadata);
    expect(metadata).toMatchObject({
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      protected_resources: ['http://localhost:8080/mcp'],
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      registration_endpoint: `${ISSUER}/register`,
      revocation_endpoint: `${ISSUER}/revoke`,
      jwks_uri: `${ISSUER}/jwks`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
      authorization_response_iss_parameter_supported: true,
      scopes_supported: expect.arrayContaining(['mcp:tools', 'mcp:admin']),
    });
    for (const absent of [
      'userinfo_endpoint',
      'introspection_endpoint',
      'end_session_endpoint',
      'device_authorization_endpoint',
    ]) {
      expect(metadata).not.toHaveProperty(absent);
    }
  });

  it('RFC 7517 §5 the published keys are public, ES256, and have no private part', async () => {
    const { keys } = (await read(await server.fetch('/jwks'))) as { keys: Record<string, unknown>[] };
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' });
    expect(keys[0]).not.toHaveProperty('d');
    const { crv, kty, x, y } = keys[0] ?? {};
    const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    expect(keys[0]?.kid).toBe(thumbprint);
  });

  it.each([METADATA, OPENID, '/jwks'])(
    'RFC 9111 §5.2 %s may be cached, and revalidated with its ETag',
    async (path) => {
      const first = await server.fetch(path, { headers: { origin: 'https://app.example' } });
      expect(first.headers.get('cache-control')).toBe('public, max-age=300');
      expect(first.headers.get('access-control-allow-origin')).toBe('*');
      const etag = first.headers.get('etag') ?? '';
      const again = await server.fetch(path, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } });
      expect([again.status, await again.text()]).toEqual([304, '']);
    },
  );
});

describe('the public host is always the issuer', () => {
  it.each([
    ['Host', ['GET PATH HTTP/1.1', 'Host: evil.example']],
    ['X-Forwarded-Host', ['GET PATH HTTP/1.1', 'Host: localhost', 'X-Forwarded-Host: evil.example']],
    ['X-Forwarded-Proto', ['GET PATH HTTP/1.1', 'Host: localhost', 'X-Forwarded-Proto: https']],
    ['a path that looks like a host', ['GET PATH HTTP/1.1', 'Host: evil.example:80', 'Forwarded: host=evil.example']],
  ])('the public host does not change with %s', async (_, lines) => {
    const expected = await (await server.fetch(METADATA)).text();
    const answer = await raw(lines.map((line) => line.replace('PATH', METADATA)));
    expect(answer).toContain(expected);
    expect(answer).not.toContain('evil.example');
  });

  it('RFC 9112 §3.2.2 a request target with a foreign host is refused', async () => {
    const answer = await raw([`GET http://evil.example${METADATA} HTTP/1.1`, 'Host: evil.example']);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).not.toContain('evil.example');
  });
});

describe('headers and bodies of every answer', () => {
  it('every answer has the security headers for browsers', async () => {
    const { headers } = await server.fetch(METADATA);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('a sign-in in a popup works: no answer on the way has Cross-Origin-Opener-Policy', async () => {
    for (const path of [METADATA, '/authorize?client_id=nobody', '/interaction/unknown', '/nothing']) {
      const { headers } = await server.fetch(path, { headers: { accept: 'text/html' } });
      expect(headers.get('cross-origin-opener-policy')).toBeNull();
    }
  });

  it('an unknown path is answered with JSON 404 for programs and a page for people, never HTML 200', async () => {
    for (const path of ['/', '/nothing', '/interaction', '/token', '/.well-known/nothing', '/%00', '/constructor']) {
      const response = await server.fetch(path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await read(response)).toMatchObject({ error: 'not_found' });
    }
    const page = await server.fetch('/nothing', { headers: { accept: 'text/html' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
  });

  it('query strings stay out of the log', async () => {
    await server.fetch('/nothing?code=the-secret-code&state=the-secret-state');
    expect(JSON.stringify(server.log)).not.toContain('the-secret');
  });
});

it('a client that disconnects during its request leaves one log line and no stack on the console', async () => {
  using printed = vi.spyOn(console, 'error').mockReturnValue();
  const { hostname, port } = new URL(server.address);
  const socket = connect(Number(port), hostname);
  const head = ['POST /token HTTP/1.1', 'Host: localhost', 'Content-Length: 100', 'Expect: 100-continue'];
  socket.write([...head, 'Content-Type: application/x-www-form-urlencoded', '', ''].join('\r\n'));
  await once(socket, 'data');
  socket.resetAndDestroy();
  await expect.poll(() => server.log).toContainEqual(expect.objectContaining({ level: 'debug', msg: 'client left' }));
  expect(printed).not.toHaveBeenCalled();
});

describe('health endpoints', () => {
  it('the server is alive and ready, and not ready while it drains', async () => {
    await using other = await startServer();
    expect((await other.fetch('/livez')).status).toBe(200);
    expect((await other.fetch('/readyz')).status).toBe(200);
    other.drain();
    expect((await other.fetch('/livez')).status).toBe(200);
    expect((await other.fetch('/readyz')).status).toBe(503);
  });
});
