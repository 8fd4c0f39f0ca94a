/**
 * Proves the result of a registration: the whole answer, and how the client then signs people in (RFC 7591 §2, §3.2.1;
 * RFC 8252 §7).
 */
import { FakeClock } from '@mcp-oauth/shared/testing/fake-clock';
import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInitialAccessTokens } from '../../../src/registration/initial-access-tokens.ts';
import { createSqliteStore } from '../../../src/storage/sqlite.ts';
import { Browser } from '../../support/browser.ts';
import { authorize, authorizePath, redeem, refresh, register, tokensFor, WEB } from '../../support/client.ts';
import { form, json, type RunningServer, read, startServer } from '../../support/running-server.ts';

let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { REGISTRATION_LIMIT: '1000' } });
});
afterAll(() => server[Symbol.asyncDispose]());

const post = (metadata: object) => server.fetch('/register', json({ token_endpoint_auth_method: 'none', ...metadata }));
/** The answer to an authorization request: 303 to the sign-in page, or 400 without a redirect. */
const authorizeAt = async (id: string, redirectUri: string) =>
  (await server.fetch(authorizePath({ id, redirectUri }), { headers: { accept: 'text/html' } })).status;

describe('RFC 7591 §3.2.1 the response to a registration', () => {
  const always = {
    client_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    client_id_issued_at: expect.any(Number),
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [WEB],
    application_type: 'web',
    subject_type: 'public',
    id_token_signed_response_alg: 'ES256',
    require_auth_time: false,
    require_pushed_authorization_requests: false,
    dpop_bound_access_tokens: false,
  };

  it('the response for a public client has all that is registered, and neither secret nor scope', async () => {
    const before = Math.floor(Date.now() / 1000);
    const response = await post({ redirect_uris: [WEB] });
    expect([response.status, response.headers.get('cache-control')]).toEqual([201, 'no-store']);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    const body = await read(response);
    expect(body).toEqual({ ...always, token_endpoint_auth_method: 'none' });
    expect(Number(body.client_id_issued_at)).toBeGreaterThanOrEqual(before);
  });

  it("the response has the client's metadata as it stands after the policy", async () => {
    const said = {
      client_name: 'App',
      client_uri: 'https://app.example',
      logo_uri: 'https://app.example/logo.png',
      tos_uri: 'https://app.example/terms',
      policy_uri: 'https://app.example/privacy',
      contacts: ['admin@app.example'],
      software_id: 'app',
    };
    const body = await read(
      await post({ redirect_uris: [WEB], ...said, grant_types: ['authorization_code', 'implicit'] }),
    );
    expect(body).toEqual({
      ...always,
      ...said,
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'none',
    });
  });

  it.each(['client_secret_basic', 'client_secret_post'])(
    'the response for %s has a secret and when it expires',
    async (method) => {
      const body = await read(await post({ redirect_uris: [WEB], token_endpoint_auth_method: method }));
      expect(body).toEqual({
        ...always,
        token_endpoint_auth_method: method,
        client_secret: expect.stringMatching(/^[\w-]{43,}$/),
        client_secret_expires_at: 0,
      });
    },
  );

  it('the response for a client with keys has the keys and no secret', async () => {
    const jwk = await exportJWK((await generateKeyPair('ES256')).publicKey);
    const body = await read(
      await post({ redirect_uris: [WEB], token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }),
    );
    expect(body).toEqual({ ...always, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
  });

  it('RFC 7591 §2 the response ignores values that a client must not choose: id, secret, times, tokens', async () => {
    const chosen = {
      client_id: 'mine',
      client_secret: 'mine',
      client_id_issued_at: 1,
      client_secret_expires_at: 9_999_999_999,
      registration_access_token: 'mine',
      registration_client_uri: 'https://evil.example',
      scope_bound: 'mine',
    };
    const body = await read(await post({ redirect_uris: [WEB], ...chosen }));
    expect(body).toEqual({ ...always, token_endpoint_auth_method: 'none' });
    expect(Object.values(body)).not.toContain('mine');
  });

  it('RFC 7591 §3.1.1 a software statement and unknown members are ignored', async () => {
    const body = await read(await post({ redirect_uris: [WEB], software_statement: 'e30.e30.', whatever: [1, 2] }));
    expect(body).toEqual({ ...always, token_endpoint_auth_method: 'none' });
  });
});

describe('RFC 7591 §2 a scope at registration', () => {
  it.each(['mcp:tools', 'mcp:tools openid', 'claudeai', '', null])(
    'the registered scope %j does not limit later requests',
    async (scope) => {
      const client = await register(server, WEB, { scope });
      expect((await tokensFor(server, client, { scope: 'mcp:tools' })).scope).toBe('mcp:tools');
      expect((await tokensFor(server, client, { scope: 'mcp:tools mcp:admin' })).scope).toBe('mcp:tools mcp:admin');
    },
  );
});

describe('RFC 8252 §7.3 a loopback redirect URI', () => {
  it.each([
    ['localhost', 'localhost'],
    ['127.0.0.1', '127.0.0.1'],
    ['[::1]', '[::1]'],
  ])(
    'a loopback redirect URI at %s is accepted with any port, whichever was registered and whatever type',
    async (host) => {
      for (const registered of [`http://${host}/cb`, `http://${host}:3334/cb`]) {
        for (const metadata of [{}, { application_type: 'web' }, { application_type: 'native' }]) {
          const { id } = await register(server, registered, metadata);
          for (const port of ['', ':1', ':3334', ':65535']) {
            expect([registered, port, await authorizeAt(id, `http://${host}${port}/cb`)]).toEqual([
              registered,
              port,
              303,
            ]);
          }
        }
      }
    },
  );

  it('§8.3 a loopback redirect URI is accepted with any loopback name', async () => {
    const names = ['localhost', '127.0.0.1', '[::1]'];
    for (const registered of names) {
      const { id } = await register(server, `http://${registered}:3334/cb`);
      for (const asked of names) expect(await authorizeAt(id, `http://${asked}:49152/cb`)).toBe(303);
    }
  });

  it('RFC 6749 §4.1.3 a code is valid with another loopback name of its listener, and with no other listener', async () => {
    const client = await register(server, 'http://127.0.0.1/cb');
    const at = { ...client, redirectUri: 'http://localhost:49152/cb' };
    const exchange = async (redirectUri: string) => {
      const { code } = await authorize(server, at);
      return (await redeem(server, { ...client, redirectUri }, code)).status;
    };
    for (const same of ['http://localhost:49152/cb', 'http://127.0.0.1:49152/cb', 'http://[::1]:49152/cb']) {
      expect([same, await exchange(same)]).toEqual([same, 200]);
    }
    for (const other of ['http://localhost:49153/cb', 'http://127.0.0.1/cb', 'http://localhost:49152/other', WEB]) {
      expect([other, await exchange(other)]).toEqual([other, 400]);
    }
  });

  it('a loopback redirect URI is accepted only for this machine and its own path', async () => {
    const { id } = await register(server, 'http://127.0.0.1:3334/cb');
    const elsewhere = [
      'https://127.0.0.1:3334/cb',
      'https://localhost:3334/cb',
      'http://127.0.0.2:3334/cb',
      'http://localhost.:3334/cb',
      'http://localhost@evil.example/cb',
      'http://localhost:3334@evil.example/cb',
      'http://evil@localhost:3334/cb',
      'http://localhost.evil.example:3334/cb',
      'http://localhost:65536/cb',
      'http://127.0.0.1:99999/cb',
      'http://localhost:3334/other',
      'http://localhost:3334/cb?x=1',
      'http://localhost:3334/cb#x',
      'http://localhost:3334\\\\@evil.example/cb',
      'http://127.0.0.1:3334/other',
      'http://127.0.0.1:3334/cb?x=1',
      'http://127.0.0.1:3334@evil.example/cb',
      'http://127.0.0.1:3334.evil.example/cb',
      'http://127.0.0.1:port/cb',
    ];
    for (const uri of elsewhere) expect([uri, await authorizeAt(id, uri)]).toEqual([uri, 400]);
  });

  it('a code is delivered to the port that the app listens on, and is valid with that port', async () => {
    const client = await register(server, 'http://localhost/cb');
    const tokens = await tokensFor(server, { ...client, redirectUri: 'http://localhost:49152/cb' });
    expect(tokens).toHaveProperty('access_token');
  });
});

describe('RFC 9700 §2.1 a redirect URI with https', () => {
  it('a redirect URI with https is compared exactly', async () => {
    const { id } = await register(server, WEB);
    expect(await authorizeAt(id, WEB)).toBe(303);
    for (const uri of [`${WEB}/`, `${WEB}?x=1`, WEB.replace('app.example', 'app.example:443'), WEB.toUpperCase()]) {
      expect([uri, await authorizeAt(id, uri)]).toEqual([uri, 400]);
    }
  });
});

describe('RFC 8252 §7.1 a redirect URI with a custom scheme', () => {
  it.each([
    'cursor://anysphere.cursor-retrieval/oauth/callback',
    'vscode://vscode.github-authentication/did-authenticate',
    'vscode-insiders://x/cb',
    'windsurf://x/cb',
    'zed://x/cb',
    'com.example.app:/cb',
    'claude://x/cb',
  ])('the scheme of an app makes the client native: %s', async (uri) => {
    const body = await read(await post({ redirect_uris: [uri], application_type: 'web' }));
    expect(body).toMatchObject({ application_type: 'native', redirect_uris: [uri] });
    expect(await authorizeAt(String(body.client_id), uri)).toBe(303);
  });

  it.each([
    ...[
      'javascript:alert(1)',
      'JavaScript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'file:///etc/passwd',
      'about:blank',
    ],
    ...[
      'blob:https://app.example/x',
      'filesystem:https://app.example/x',
      'view-source:https://app.example',
      'jar:x!/y',
    ],
    ...[
      'ftp://evil.example/x',
      'ws://evil.example/x',
      'wss://evil.example/x',
      'smb://evil.example/x',
      'ldap://evil.example',
    ],
    ...['mailto:evil@evil.example', 'tel:1', 'sms:1', 'intent://x', 'chrome://settings', 'ssh://evil.example'],
    ...[
      'search-ms:query=x',
      'ms-msdt:/id',
      'ms-settings:privacy',
      'ms-word:ofe|u|https://evil.example',
      'ms-appinstaller:?source=https://evil.example',
      'itms-services://?action=download-manifest',
      'itms-apps://evil.example',
      'shell:startup',
      'res://x/y',
      'search:query=x',
      'chrome-extension://abc/cb',
      'moz-extension://abc/cb',
      'safari-web-extension://abc/cb',
      'web+app://cb',
      'ext+app:cb',
      'microsoft-edge:https://evil.example',
      'android-app://com.example/cb',
      'market://details',
      'x-apple.systempreferences:com.apple',
      'facetime://evil',
      'sip:evil@evil.example',
      'bitcoin:x',
      'webcal://evil.example',
      'git+ssh://evil.example/x',
      'view-source:https://evil.example',
      'SHELL:startup',
      'Ms-Settings:privacy',
      'c:/windows/x.exe',
      'data:text/html,x',
      'javascript:alert(1)',
      'vbscript:x',
      'blob:https://evil.example/x',
      'file:///etc/passwd',
      'urn:ietf:wg:oauth:2.0:oob',
      'http://evil.example/cb',
      'https://*.example/cb',
    ],
  ])('a scheme that no app may own is refused, alone and among good ones: %s', async (uri) => {
    for (const redirect_uris of [[uri], [WEB, uri], [uri, 'cursor://x/cb']]) {
      const response = await post({ redirect_uris });
      expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_redirect_uri']);
    }
  });
});

describe('RFC 7591 §2 size limits of a registration', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => `${WEB}/${n}`);
  it('a registration may have 20 redirect URIs of 2048 characters', async () => {
    expect((await post({ redirect_uris: many(20) })).status).toBe(201);
    expect((await post({ redirect_uris: many(21) })).status).toBe(400);
    const long = (length: number) => `${WEB}/`.padEnd(length, 'x');
    expect((await post({ redirect_uris: [long(2_048)] })).status).toBe(201);
    expect((await post({ redirect_uris: [long(2_049)] })).status).toBe(400);
  });

  it.each([
    ['contacts', Array(21).fill('a@b.example')],
    ['contacts', ['x'.repeat(2_049)]],
    ['software_id', 'x'.repeat(2_049)],
    ['logo_uri', `https://app.example/${'x'.repeat(2_049)}`],
    ['jwks', { keys: Array.from({ length: 100 }, () => ({ kty: 'RSA', n: 'x'.repeat(100), e: 'AQAB' })) }],
  ])('a registration that exceeds the limit of %s is refused', async (name, value) => {
    const response = await post({ redirect_uris: [WEB], [name]: value });
    expect([response.status, (await read(response)).error]).toEqual([400, 'invalid_client_metadata']);
  });
});

describe('RFC 6749 §5.2 an unknown client', () => {
  const confidential = { token_endpoint_auth_method: 'client_secret_basic' };

  it('an unknown client is 401 invalid_client at /token, /par and /revoke, and gets a page at /authorize', async () => {
    for (const path of ['/token', '/par', '/revoke']) {
      const response = await server.fetch(path, form({ client_id: 'nobody', grant_type: 'refresh_token', token: 'x' }));
      expect([path, response.status, (await read(response)).error]).toEqual([path, 401, 'invalid_client']);
    }
    const page = await server.fetch(authorizePath({ id: 'nobody', redirectUri: WEB }), {
      headers: { accept: 'text/html' },
    });
    expect([page.status, page.headers.get('location')]).toEqual([400, null]);
    expect(await page.text()).toContain('Remove the server in your app, add it again');
  });

  it('a client becomes unknown after a day without an approval, whatever it requests meanwhile', async () => {
    const clock = new FakeClock(Date.now());
    await using aging = await startServer({ store: createSqliteStore(':memory:', clock), clock });
    const body = await read(await aging.fetch('/register', json({ redirect_uris: [WEB], ...confidential })));
    const client = { id: String(body.client_id), redirectUri: WEB };
    const authorization = `Basic ${btoa(`${client.id}:${body.client_secret}`)}`;
    const ask = () =>
      aging.fetch('/token', {
        ...form({ grant_type: 'refresh_token', refresh_token: 'gone' }),
        headers: { authorization },
      });
    for (let n = 0; n < 3; n += 1) {
      clock.advance(8 * 3_600 - 1);
      expect(await read(await ask()), 'known, and its secret is good').toMatchObject({ error: 'invalid_grant' });
      expect((await aging.fetch(authorizePath(client))).status).toBe(303);
    }
    clock.advance(10);
    const refused = await ask();
    expect([refused.status, (await read(refused)).error]).toEqual([401, 'invalid_client']);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await aging.fetch(authorizePath(client))).status).toBe(400);
  });

  it('a client becomes unknown when its approvals are unused for CLIENT_LIFETIME, and not while they are used', async () => {
    const clock = new FakeClock(Date.now());
    const env = { CLIENT_LIFETIME: '90d', GRANT_LIFETIME: '30d', REFRESH_TOKEN_LIFETIME: '30d' };
    await using aging = await startServer({ env, store: createSqliteStore(':memory:', clock), clock });
    const client = await register(aging);
    const browser = new Browser(aging);
    for (let month = 0; month < 6; month += 1) {
      expect((await authorize(aging, client, { prompt: 'consent' }, { browser })).code).toBeTruthy();
      clock.advance(60 * 86_400);
    }
    expect((await aging.fetch(authorizePath(client))).status, 'known').toBe(303);
    // Uses within five minutes extend it once.
    clock.advance(30 * 86_400 + 300);
    expect((await aging.fetch(authorizePath(client))).status).toBe(400);
  });

  it('RFC 7591 §3 a client with an initial access token is kept for CLIENT_LIFETIME at first', async () => {
    const clock = new FakeClock(Date.now());
    const store = createSqliteStore(':memory:', clock);
    const { token } = await createInitialAccessTokens(store, clock).add({ purpose: 'x', uses: 1, lifetime: 3_600 });
    const env = { REGISTRATION: 'token', CLIENT_LIFETIME: '90d' };
    await using aging = await startServer({ env, store, clock });
    const registration = json({ redirect_uris: [WEB] }, { authorization: `Bearer ${token}` });
    const { client_id } = await read(await aging.fetch('/register', registration));
    const page = async () => (await aging.fetch(authorizePath({ id: String(client_id), redirectUri: WEB }))).status;
    clock.advance(90 * 86_400 - 6);
    expect(await page()).toBe(303);
    clock.advance(6);
    expect(await page()).toBe(400);
  });

  it('a client that an approval uses never becomes unknown', async () => {
    const clock = new FakeClock(Date.now());
    const env = { CLIENT_LIFETIME: '1d', GRANT_LIFETIME: '90d', REFRESH_TOKEN_LIFETIME: '60d' };
    await using aging = await startServer({ env, store: createSqliteStore(':memory:', clock), clock });
    const client = await register(aging);
    const tokens = await tokensFor(aging, client);
    clock.advance(50 * 86_400);
    expect(await read(await refresh(aging, client, tokens.refresh_token))).not.toMatchObject({
      error: 'invalid_client',
    });
  });

  it("an unknown client cannot redeem another client's code", async () => {
    const client = await register(server);
    const response = await redeem(server, { ...client, id: 'nobody' }, 'code');
    expect([response.status, (await read(response)).error]).toEqual([401, 'invalid_client']);
  });
});
