/** Proves that an issuer with a path (RFC 8414 §2) serves everything below that path, and nothing outside it. */
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, VERIFIER } from '../support/client.ts';
import { form, json, MCP, type RunningServer, read, startServer } from '../support/running-server.ts';

const HOST = 'http://localhost:9000';
const ISSUER = `${HOST}/tenants/one`;
const METADATA = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { ISSUER } });
});
afterAll(() => server[Symbol.asyncDispose]());

describe('RFC 8414 §3.1, OpenID Connect Discovery §4 metadata of an issuer with a path', () => {
  it.each([
    ['inserted', `${HOST}${METADATA}/tenants/one`],
    ['inserted, OpenID', `${HOST}${OPENID}/tenants/one`],
    ['appended', `${ISSUER}${METADATA}`],
    ['appended, OpenID', `${ISSUER}${OPENID}`],
  ])('metadata is found where the path is %s, and names endpoints below the path', async (_, url) => {
    for (const path of [url, url]) {
      const response = await server.fetch(path, { headers: { origin: 'https://app.example' } });
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('cache-control')).toBe('public, max-age=300');
      expect(await read(response)).toMatchObject({
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        registration_endpoint: `${ISSUER}/register`,
        revocation_endpoint: `${ISSUER}/revoke`,
        pushed_authorization_request_endpoint: `${ISSUER}/par`,
        jwks_uri: `${ISSUER}/jwks`,
      });
    }
  });

  it('metadata is also found with a slash at the end', async () => {
    const response = await server.fetch(`${HOST}${METADATA}/tenants/one/`);
    expect(await read(response)).toMatchObject({ issuer: ISSUER, token_endpoint: `${ISSUER}/token` });
  });

  it('§3.3 metadata is not at the root, where it would be that of another issuer', async () => {
    for (const path of [METADATA, OPENID, `${METADATA}/tenants`, `${METADATA}/tenants/other`, `${METADATA}/`]) {
      expect([path, (await server.fetch(HOST + path)).status]).toEqual([path, 404]);
    }
  });

  it.each([
    ['/token', 404],
    ['/jwks', 404],
    ['/tenants/two/jwks', 404],
    ['/tenants/onerous/jwks', 404],
    ['/Tenants/One/jwks', 404],
    ['/tenants/one', 404],
    ['/tenants/one?x=/jwks', 404],
    ['/tenants/one//jwks', 404],
    ['/tenants/one/tenants/one/jwks', 404],
    ['/tenants/one/readyz', 404],
    ['/tenants/one/jwks', 200],
    ['/readyz', 200],
  ])('the path %s is answered with %d', async (path, status) => {
    const response = await fetch(server.address + path);
    expect(response.status).toBe(status);
    if (status === 404) expect(await read(response)).toMatchObject({ error: 'not_found' });
  });
});

describe('a sign-in at an issuer with a path', () => {
  it('a sign-in leads through pages, forms and redirects below the path to tokens of that issuer', async () => {
    const client = await register(server);
    const browser = new Browser(server);
    const { page, hops } = await browser.follow(authorizePath(client, { scope: 'mcp:tools', resource: MCP }));
    expect(hops).toEqual([expect.stringMatching(/^\/tenants\/one\/interaction\/[\w-]+$/)]);
    const { outside: answer, hops: back } = await browser.signIn(page, 'alice');
    expect(back).toEqual([
      expect.stringMatching(/^\/tenants\/one\/interaction\/[\w-]+\/finish$/),
      expect.stringMatching(/^\/tenants\/one\/authorize\/[\w-]+$/),
      '/callback',
    ]);
    expect(answer?.searchParams.get('iss'), 'RFC 9207 §2 iss').toBe(ISSUER);
    const tokens = await read(await redeem(server, client, answer?.searchParams.get('code') ?? ''));
    expect(decodeJwt(String(tokens.access_token))).toMatchObject({ iss: ISSUER, aud: MCP });
    expect((await refresh(server, client, tokens.refresh_token)).status).toBe(200);
    const revoked = await server.fetch('/revoke', form({ token: String(tokens.refresh_token), client_id: client.id }));
    expect(revoked.status).toBe(200);
  });

  it('a browser session, a denial and the callback work below the path', async () => {
    const client = await register(server);
    const browser = new Browser(server);
    await authorize(server, client, {}, { browser });
    const again = await browser.follow(authorizePath(client));
    expect(again.outside?.searchParams.get('code'), 'approved before').toBeTruthy();
    const other = await browser.follow(authorizePath(await register(server)));
    const { outside } = await browser.submit(other.page, 'deny');
    expect(outside?.searchParams.get('error')).toBe('access_denied');
  });

  it("RFC 6265 §5.1.4 an interaction's cookies have its own path, and only our own origin may send its forms", async () => {
    const client = await register(server);
    const browser = new Browser(server);
    const { page } = await browser.follow(authorizePath(client));
    const paths = Object.fromEntries(browser.cookies.map(({ name, path }) => [name, path]));
    expect(paths).toMatchObject({
      as_interaction: expect.stringMatching(/^\/tenants\/one\/interaction\/[\w-]+$/),
      as_resume: expect.stringMatching(/^\/tenants\/one\/authorize\/[\w-]+$/),
    });
    const [, form = '', token = ''] =
      /action="([^"]+)\/approve"[\s\S]*?name="token" value="([^"]+)"/.exec((await page?.text()) ?? '') ?? [];
    const post = (origin: string) =>
      browser.visit(`${HOST}${form}/approve`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({ token, connector: 'acme' }),
      });
    expect((await post('https://evil.example')).status).toBe(403);
    expect((await post(HOST)).status).toBe(303);
  });

  it('RFC 6265 §5.3 two servers at one host use different session cookies', async () => {
    await using other = await startServer({ env: { ISSUER: `${HOST}/tenants/two` } });
    await using root = await startServer({ env: { ISSUER: HOST } });
    const names = new Set<string>();
    for (const each of [server, other, root]) {
      const browser = new Browser(each);
      await authorize(each, await register(each), {}, { browser });
      for (const { name } of browser.cookies) if (/as_session/.test(name)) names.add(name);
    }
    // Each has a signature of its own.
    expect(names.size).toBe(6);
  });

  it('RFC 6265bis §4.1.3.2 the session cookie of an https issuer has the prefix __Host-', async () => {
    await using secure = await startServer({ env: { ISSUER: 'https://example.com/auth' } });
    const browser = new Browser(secure);
    await authorize(secure, await register(secure), {}, { browser });
    const session = browser.cookies.filter(({ name }) => name.startsWith('__Host-as_session'));
    expect(session).toHaveLength(2);
    for (const { line } of session) expect(line).toMatch(/; path=\/;.*; secure/i);
  });

  it('an unknown client gets an error page at /authorize below the path', async () => {
    const response = await server.fetch('/authorize?client_id=nobody', { headers: { accept: 'text/html' } });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('not registered here')]);
  });
});

describe('credentials that name an endpoint of an issuer with a path', () => {
  it('RFC 9449 §4.3 a DPoP proof must name the whole URL', async () => {
    const client = await register(server);
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const proof = async (htu: string) =>
      new SignJWT({ htm: 'POST', htu, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(publicKey) })
        .setIssuedAt()
        .sign(privateKey);
    const attempt = async (htu: string) => {
      const { code } = await authorize(server, client);
      const parameters = { grant_type: 'authorization_code', client_id: client.id, redirect_uri: client.redirectUri };
      const body = form({ ...parameters, code, code_verifier: VERIFIER });
      return (await server.fetch('/token', { ...body, headers: { dpop: await proof(htu) } })).status;
    };
    expect(await attempt(`${HOST}/token`)).toBe(400);
    expect(await attempt(`${ISSUER}/token`)).toBe(200);
  });

  it.each(['/token', ''])('RFC 7523 §3 a client assertion must be for our issuer%s', async (endpoint) => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }] };
    const { id } = await register(server, undefined, { token_endpoint_auth_method: 'private_key_jwt', jwks });
    const attempt = async (audience: string) => {
      const assertion = await new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(id)
        .setSubject(id)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
      const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
      const proven = { client_assertion: assertion, client_assertion_type };
      return read(await server.fetch('/token', form({ grant_type: 'refresh_token', refresh_token: 'x', ...proven })));
    };
    expect(await attempt(HOST + endpoint)).toMatchObject({ error: 'invalid_client' });
    expect(await attempt(ISSUER + endpoint)).toMatchObject({ error: 'invalid_grant' });
  });

  it('RFC 9126 §2 a pushed request leads to the same page', async () => {
    const client = await register(server);
    const { searchParams } = server.url(authorizePath(client));
    const pushed = await read(await server.fetch('/par', { method: 'POST', body: searchParams }));
    const query = new URLSearchParams({ client_id: client.id, request_uri: String(pushed.request_uri) });
    const browser = new Browser(server);
    const { page } = await browser.follow(`/authorize?${query}`);
    expect((await browser.signIn(page, 'alice')).outside?.searchParams.get('code')).toBeTruthy();
  });

  it('RFC 7592 §2 a registration is managed below the path', async () => {
    await using managed = await startServer({ env: { ISSUER, REGISTRATION_MANAGEMENT: 'true' } });
    const metadata = json({ redirect_uris: ['https://app.example/callback'] });
    const client = await read(await managed.fetch('/register', metadata));
    expect(client.registration_client_uri).toBe(`${ISSUER}/register/${client.client_id}`);
    const headers = { authorization: `Bearer ${client.registration_access_token}` };
    const answer = await managed.fetch(String(client.registration_client_uri), { headers });
    expect([answer.status, (await read(answer)).client_id]).toEqual([200, client.client_id]);
  });

  it('RFC 6585 §4 the limit of registrations holds below the path', async () => {
    await using limited = await startServer({ env: { ISSUER, REGISTRATION_LIMIT: '1' } });
    const metadata = json({ redirect_uris: ['https://app.example/callback'] });
    expect((await limited.fetch('/register', metadata)).status).toBe(201);
    expect((await limited.fetch('/register', metadata)).status).toBe(429);
  });
});
