/** Proves what a client finds at this origin: RFC 9728 documents, and what the revision 2025-03-26 looks for. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness } from '../../support/http-harness.ts';

let server: Harness;
beforeAll(async () => {
  server = await startHarness();
});
afterAll(() => server[Symbol.asyncDispose]());

describe('RFC 9728 §3 protected resource metadata', () => {
  it.each(['', '/mcp', '/sse'])(
    'protected resource metadata names exactly the URL that it is for: %j',
    async (path) => {
      const response = await server.fetch(`/.well-known/oauth-protected-resource${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toEqual({
        resource: `${server.url}${path}`,
        authorization_servers: [server.issuer.url],
        scopes_supported: ['mcp:admin', 'mcp:tools'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'ES384', 'Ed25519', 'EdDSA', 'PS256', 'RS256'],
        dpop_bound_access_tokens_required: false,
        mcp_oauth_tools_by_scope: expect.any(Object),
        resource_name: 'Test server',
        resource_documentation: `${server.url}/`,
      });
    },
  );

  it('protected resource metadata can be cached and revalidated with its ETag (RFC 9110 §13.1.2)', async () => {
    const path = '/.well-known/oauth-protected-resource/mcp';
    const first = await server.fetch(path);
    expect(first.headers.get('cache-control')).toBe('public, max-age=300');
    // fetch would add `no-cache` by itself, which requests the whole document.
    const headers = { 'if-none-match': first.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
    const again = await server.fetch(path, { headers });
    expect(again.status).toBe(304);
  });

  it('protected resource metadata exists for no other path', async () => {
    const response = await server.fetch('/.well-known/oauth-protected-resource/other');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ error: 'not_found' });
  });

  it('protected resource metadata is served while the authorization server is down', async () => {
    await using alone = await startHarness();
    alone.issuer.up = false;
    expect((await alone.fetch('/.well-known/oauth-protected-resource/mcp')).status).toBe(200);
    expect((await alone.fetch('/')).status).toBe(200);
    expect((await alone.fetch('/readyz')).status).toBe(200);
  });
});

describe('MCP 2025-03-26 §2.3 discovery at the MCP origin', () => {
  it.each([
    '/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/mcp',
    '/.well-known/oauth-authorization-server/sse',
    '/.well-known/openid-configuration',
    '/.well-known/openid-configuration/mcp',
    '/.well-known/openid-configuration/sse',
    '/mcp/.well-known/openid-configuration',
    '/sse/.well-known/openid-configuration',
  ])('the authorization server metadata is served unchanged at %s', async (path) => {
    const response = await server.fetch(path);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(server.issuer.metadata);
  });

  it('authorization server metadata is fetched once, and served from the copy during an outage', async () => {
    await using kept = await startHarness();
    await kept.fetch('/.well-known/oauth-authorization-server');
    await kept.fetch('/.well-known/oauth-authorization-server');
    expect(kept.issuer.requests).toHaveLength(1);
    kept.issuer.up = false;
    kept.clock.advance(3_600);
    expect((await kept.fetch('/.well-known/oauth-authorization-server')).status).toBe(200);
  });

  it('authorization server metadata is 503 with Retry-After while it was never fetched', async () => {
    await using alone = await startHarness();
    alone.issuer.up = false;
    for (const path of ['/.well-known/oauth-authorization-server', '/authorize']) {
      const response = await alone.fetch(path);
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('5');
    }
  });

  it('authorization server metadata of another issuer is refused (RFC 8414 §3.3)', async () => {
    await using fooled = await startHarness();
    Object.assign(fooled.issuer.metadata, { issuer: 'https://evil.example' });
    expect((await fooled.fetch('/.well-known/oauth-authorization-server')).status).toBe(503);
  });
});

describe('one origin shared with the issuer, where these paths belong to the issuer', () => {
  it.each([
    ['GET', '/.well-known/oauth-authorization-server'],
    ['GET', '/.well-known/oauth-authorization-server/mcp'],
    ['GET', '/.well-known/openid-configuration'],
    ['GET', '/sse/.well-known/openid-configuration'],
    ['GET', '/authorize'],
    ['POST', '/token'],
    ['POST', '/register'],
  ])(
    'RFC 8414 §3 a request %s %s that the gateway should route to the issuer is 404, without a redirect loop',
    async (method, path) => {
      await using same = await startHarness({ atIssuer: true });
      expect((await same.fetch(path, { method })).status).toBe(404);
      expect(same.issuer.requests).toEqual([]);
      expect((await same.fetch('/.well-known/oauth-protected-resource/mcp')).status).toBe(200);
    },
  );
});

describe('one origin shared with the issuer, which is reached at ISSUER_INTERNAL_URL', () => {
  it.each(['oauth-authorization-server/mcp', 'oauth-authorization-server/sse', 'openid-configuration/mcp'])(
    "RFC 8414 §3 the path /.well-known/%s, which some clients use, has the issuer's metadata without a gateway rewrite",
    async (path) => {
      await using same = await startHarness({ atIssuer: true, issuerInside: true });
      const response = await same.fetch(`/.well-known/${path}`);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({ issuer: same.issuer.url });
    },
  );

  it.each([
    ['GET', '/authorize'],
    ['POST', '/token'],
    ['POST', '/register'],
  ])('a request %s %s is 404, without a redirect loop', async (method, path) => {
    await using same = await startHarness({ atIssuer: true, issuerInside: true });
    expect((await same.fetch(path, { method })).status).toBe(404);
  });
});

describe('MCP 2025-03-26 §2.3.3 default endpoints', () => {
  it('GET /authorize is redirected with its query', async () => {
    const response = await server.fetch('/authorize?client_id=a%20b&state=x%26y');
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(`${server.issuer.url}/authorize?client_id=a%20b&state=x%26y`);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it.each(['token', 'register'])(
    'RFC 9110 §15.4.8 POST /%s is redirected as a POST, without being read',
    async (path) => {
      const response = await server.fetch(`/${path}`, { method: 'POST', body: 'grant_type=authorization_code' });
      expect(response.status).toBe(307);
      expect(response.headers.get('location')).toBe(`${server.issuer.url}/${path}`);
      expect(server.issuer.requests).not.toContain(`/${path}`);
      expect((await server.fetch(`/${path}`)).status).toBe(405);
    },
  );

  it('POST /register is 404 when the authorization server has no registration', async () => {
    await using closed = await startHarness();
    Object.assign(closed.issuer.metadata, { registration_endpoint: undefined });
    expect((await closed.fetch('/register', { method: 'POST' })).status).toBe(404);
  });
});
