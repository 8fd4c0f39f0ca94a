/**
 * Proves what a web page of another origin may read (Fetch §3.2): every client endpoint, errors too, never with
 * cookies.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from '../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, type TestClient, WEB } from '../support/client.ts';
import { form, json, type RunningServer, read, startServer } from '../support/running-server.ts';

const READ = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/jwks'];
const WRITTEN = ['/token', '/revoke', '/register', '/par'];
const ORIGINS = ['http://localhost:6274', 'https://app.example', 'vscode-webview://abc', 'null'];

let server: RunningServer;
let client: TestClient;
beforeAll(async () => {
  server = await startServer();
  client = await register(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const cors = ({ headers }: Response) =>
  Object.fromEntries([...headers].filter(([name]) => name.startsWith('access-control-') || name === 'vary'));
const EXPOSED = 'Retry-After, WWW-Authenticate, X-Request-Id';
const READABLE = { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED };

describe.each(ORIGINS)('CORS for a page of %s', (origin) => {
  const preflight = (path: string, method: string, headers = 'content-type,mcp-protocol-version') =>
    server.fetch(path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': method, 'access-control-request-headers': headers },
    });

  it.each([
    ...READ.map((path) => [path, 'GET']),
    ...WRITTEN.map((path) => [path, 'POST']),
    ['/register/some-client', 'GET, PUT, DELETE'],
  ])(
    'Fetch §4.8 a preflight of %s allows %s with the requested headers, without credentials',
    async (path = '', method = '') => {
      const answer = await preflight(path, method);
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      expect(cors(answer)).toEqual({
        'access-control-allow-origin': '*',
        'access-control-allow-methods': method,
        'access-control-allow-headers': 'content-type,mcp-protocol-version',
        'access-control-max-age': '3600',
      });
    },
  );

  it.each(READ)('the document %s can be read', async (path) => {
    const answer = await server.fetch(path, { headers: { origin, 'mcp-protocol-version': '2025-11-25' } });
    expect(answer.status).toBe(200);
    expect(cors(answer)).toEqual({ 'access-control-allow-origin': '*' });
  });

  it('a public client can get, refresh and revoke tokens', async () => {
    const send = (path: string, init: RequestInit) => server.fetch(path, { ...init, headers: { origin } });
    const { code } = await authorize(server, client);
    const from: RunningServer = { ...server, fetch: (path, init = {}) => send(path, init) };
    const first = await redeem(from, client, code);
    expect([first.status, cors(first)]).toEqual([200, READABLE]);
    const next = await refresh(from, client, (await read(first)).refresh_token);
    expect([next.status, cors(next)]).toEqual([200, READABLE]);
    const token = String((await read(next)).refresh_token);
    const gone = await send('/revoke', form({ token, client_id: client.id }));
    expect([gone.status, cors(gone)]).toEqual([200, READABLE]);
  });

  it('a confidential client may use its secret from a web page: CORS does not protect secrets', async () => {
    const { client_id: id, client_secret: secret } = await read(
      await server.fetch(
        '/register',
        json({ redirect_uris: [WEB], token_endpoint_auth_method: 'client_secret_basic' }, { origin }),
      ),
    );
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
    const answer = await server.fetch('/token', {
      ...form({ grant_type: 'refresh_token', refresh_token: 'x' }),
      headers: { origin, authorization },
    });
    expect([answer.status, cors(answer)]).toEqual([400, READABLE]);
  });

  it.each([
    [
      'an unknown client',
      '/token',
      form({ grant_type: 'refresh_token', refresh_token: 'x', client_id: 'nobody' }),
      401,
    ],
    ['a wrong Basic password', '/token', { method: 'POST', headers: { authorization: 'Basic YTpi' } }, 401],
    ['no parameters', '/token', { method: 'POST' }, 400],
    ['JSON', '/token', json({}), 400],
    ['too large a body', '/token', form({ code: 'x'.repeat(60_000) }), 413],
    ['an unknown client', '/revoke', form({ token: 'x', client_id: 'nobody' }), 401],
    ['too large a body', '/revoke', form({ token: 'x'.repeat(60_000) }), 413],
    ['metadata that is refused', '/register', json({}), 400],
    ['an unreadable body', '/register', json('{'), 400],
    ['an unknown client', '/par', form({ client_id: 'nobody' }), 401],
    ['the wrong method', '/token', { method: 'GET' }, 404],
    ['the wrong method', '/jwks', { method: 'POST' }, 404],
  ])('RFC 6749 §5.2 the error for %s at %s can be read', async (_, path, init: RequestInit, status) => {
    const answer = await server.fetch(path, { ...init, headers: { ...(init.headers as object), origin } });
    expect(answer.status).toBe(status);
    expect(cors(answer)).toMatchObject({ 'access-control-allow-origin': '*' });
    expect(await read(answer)).toMatchObject({ error: expect.any(String), error_description: expect.any(String) });
  });
});

describe('CORS for every origin', () => {
  it('RFC 6585 §4 a rate limit error and its Retry-After can be read', async () => {
    await using limited = await startServer({ env: { REGISTRATION_LIMIT: '1' } });
    const attempt = () => limited.fetch('/register', json({ redirect_uris: [WEB] }, { origin: 'https://app.example' }));
    await attempt();
    const refused = await attempt();
    expect([refused.status, cors(refused)]).toEqual([429, READABLE]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it.each(['/token/', '/TOKEN', '/Revoke/', '/JWKS', '/Register/', '/par/'])(
    'the variant path %s has the same CORS headers as its endpoint',
    async (path) => {
      const answer = await server.fetch(path, { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    },
  );

  it('pages that a person visits, and answers with a cookie, have no CORS headers', async () => {
    const browser = new Browser(server);
    const headers = { origin: 'https://evil.example' };
    const start = await browser.visit(authorizePath(client), { headers });
    const interaction = start.headers.get('location') ?? '';
    const answers = [
      start,
      await browser.visit(interaction, { headers }),
      await browser.visit(interaction, { method: 'OPTIONS', headers }),
      await browser.visit(`${interaction}/approve`, { method: 'POST', headers }),
      await browser.visit('/authorize', { method: 'OPTIONS', headers }),
      await browser.visit('/callback/acme?state=x', { headers }),
      await browser.visit('/', { headers }),
    ];
    for (const answer of answers) expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    for (const path of [...READ, ...WRITTEN]) {
      const answer = await browser.visit(path, { method: READ.includes(path) ? 'GET' : 'POST', headers });
      expect([path, answer.headers.getSetCookie()]).toEqual([path, []]);
    }
  });
});
